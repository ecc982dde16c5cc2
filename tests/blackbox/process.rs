//! The command as an operator sees it: exit codes, messages, greeting, signals, and no secret anywhere.

use crate::child::Process;
use crate::client::{Ask, End, Exchange, soon};
use crate::gateway::{Gateway, config, directory};
use crate::provider::Provider;
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Runs a command to its end in a directory with this configuration: exit code, output, errors.
async fn run(yaml: &str, arguments: &[&str]) -> (Option<i32>, String, String) {
    let directory = directory(yaml);
    let process = Process::start(directory.path(), arguments, &[("SET", "sk-canary-variable")]);
    (process.exit().await, process.stdout.text(), process.stderr.text())
}

const GOOD: &str = "providers: { p: { kind: openai, api_key: sk-canary-1 }, q: { kind: ollama } }
routes: { chat: { aliases: [fast], targets: [p/large, { target: q/small, weight: 0 }, q/spare] } }";

/// Faulty configurations, and what has to be said of each.
const FAULTY: &[(&str, &[&str])] = &[
    (
        "providers: { p: { kind: opnai, api_key: sk-canary-1 }, q: { kind: openai, base_url: 'ftp://x', keys: [] } }
routes:
  chat: { targets: [r/m], timeouts: { totl: 1s, idle: 5 }, retry: { max_attempts: 0 } }
  direct: { targets: [] }
callers: [{ name: a, key: short }, { name: a, key: '${SET}', routes: [chta] }]
listne: 127.0.0.1:1",
        &[
            "providers.p.kind: unknown kind `opnai` (did you mean `openai`?)",
            "providers.q.base_url: must begin with http:// or https://",
            "providers.q.keys: ",
            "routes.chat.targets[0]: no provider is named `r`",
            "routes.chat.timeouts.totl: ",
            "routes.chat.timeouts.idle: ",
            "routes.chat.retry.max_attempts: ",
            "routes.direct: `direct` is reserved",
            "routes.direct.targets: is empty",
            "callers[0].key: is too short",
            "callers[1].name: `a` is the name at callers[0].name already",
            "callers[1].routes[0]: no route is named `chta` (did you mean `chat`?)",
            "listne: ",
            "breakwater.yaml: 13 faults",
        ],
    ),
    (
        "providers: { p: { kind: openai, api_key: 'sk-${NOT_SET}' } }\nroutes: { chat: { targets: [p/m] } }",
        &["providers.p.api_key: ", "NOT_SET"],
    ),
    ("providers: { p: { kind: openai", &["line ", "breakwater.yaml: 1 fault"]),
    ("providers:\n  p: { kind: simulator }\n bad indent: 1", &["line 3", "breakwater.yaml: 1 fault"]),
    ("", &["breakwater.yaml: "]),
    (
        "providers: { s: { kind: simulator, behaviour: { falt: cut } } }\ndirect: true",
        &["providers.s.behaviour: ", "falt", "breakwater.yaml: 1 fault"],
    ),
    (
        "listen: 0.0.0.0:0\nadmin: { listen: '0.0.0.0:0' }\nproviders: { s: { kind: simulator } }\ndirect: true",
        &["listen: 0.0.0.0:0 can be reached by others", "admin.token: is needed"],
    ),
];

#[tokio::test]
async fn a_bad_configuration_is_refused_with_every_fault() {
    for (yaml, wanted) in FAULTY {
        for arguments in [&["check"][..], &["check", "./breakwater.yaml"], &["serve"], &["explain", "--route", "chat"]]
        {
            let (code, _, said) = run(yaml, arguments).await;
            assert_eq!(code, Some(2), "{arguments:?}: {said}");
            for wanted in *wanted {
                assert!(said.contains(wanted), "{arguments:?}: no `{wanted}` in:\n{said}");
            }
            assert!(!said.contains("canary") && !said.contains("panicked"), "{said}");
        }
    }
}

#[tokio::test]
async fn bad_usage_is_told_apart_from_failure() {
    for (arguments, code, wanted) in [
        (&["serve", "--config", "nowhere.yaml"][..], 2, "nowhere.yaml"),
        (&["check", "nowhere.yaml"], 2, "nowhere.yaml"),
        (&["serve", "--listen", "0.0.0.0:0"], 2, "listen: 0.0.0.0:0 can be reached by others"),
        (&["serve", "--admin", "0.0.0.0:0"], 2, "admin.token: is needed"),
        (&["serve", "--listen", "here"], 2, "--listen"),
        (&["serve", "--nonsense"], 2, "--nonsense"),
        (&["nonsense"], 2, "nonsense"),
        (&[], 2, "Usage"),
        (&["explain", "--route", "nobody"], 2, "`nobody`"),
        (&["explain", "--route", "chat", "--request", "nowhere.json"], 2, "nowhere.json"),
    ] {
        let (exit, _, said) = run(GOOD, arguments).await;
        assert_eq!(exit, Some(code), "{arguments:?}: {said}");
        assert!(said.contains(wanted) && !said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[tokio::test]
async fn a_port_in_use_is_a_failure_that_names_it() {
    let taken = Gateway::start("providers: { s: { kind: simulator } }\ndirect: true").await;
    let (data, admin) = (taken.data.to_string(), taken.admin.to_string());
    let free = "127.0.0.1:0";
    for (listen, admin, flag, named) in [(&*data, free, "--listen", &data), (free, &*admin, "--admin", &admin)] {
        let (code, _, said) = run(GOOD, &["serve", "--listen", listen, "--admin", admin]).await;
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(named.as_str()) && said.contains("in use") && said.contains(flag), "{said}");
    }
    let (code, _, said) = run("", &["simulate", "--listen", &data]).await;
    assert!(code == Some(1) && said.contains(&data) && said.contains("in use"), "{code:?} {said}");
}

#[tokio::test]
async fn commands_say_what_was_asked() {
    let (code, said, _) = run(GOOD, &["check"]).await;
    assert_eq!((code, &*said), (Some(0), "./breakwater.yaml: good. Providers 2, routes 1, callers 0."));
    let (code, plan, _) = run(GOOD, &["explain", "--route", "chat"]).await;
    let order = ["route chat: at most 3 attempts", "1. p/large", "2. q/spare", "passed over: q/small: weight 0"];
    let places: Vec<_> = order.iter().map(|line| plan.find(line)).collect();
    assert!(code == Some(0) && places.iter().all(Option::is_some) && places.is_sorted(), "{plan}");
    let (code, schema, _) = run(GOOD, &["schema"]).await;
    let schema: Value = serde_json::from_str(&schema).expect("JSON");
    assert!(code == Some(0) && schema["properties"]["routes"].is_object(), "{schema}");
    let (code, version, _) = run(GOOD, &["--version"]).await;
    assert_eq!((code, version), (Some(0), format!("breakwater {}", env!("CARGO_PKG_VERSION"))));
}

#[tokio::test]
async fn another_gateways_file_is_imported_and_strictly_only_where_it_means_the_same() {
    let entry = |more: &str| {
        format!(
            "model_list: [{{ model_name: a, litellm_params: {{ model: openai/m, api_key: os.environ/KEY{more} }} }}]"
        )
    };
    for (yaml, told, strict) in [
        (entry(""), "exact", 0),
        (entry(", timeout: 3"), "approximate", 1),
        (entry(", nonsense: 3"), "unsupported", 1),
        ("[".to_owned(), "error", 2),
    ] {
        for (arguments, wanted) in [
            (&["import", "litellm", "breakwater.yaml"][..], strict & 2),
            (&["import", "litellm", "breakwater.yaml", "--strict"], strict),
        ] {
            let (code, ours, said) = run(&yaml, arguments).await;
            assert!(code == Some(wanted) && said.contains(told), "{arguments:?}: {code:?} {said}");
            assert_eq!(ours.contains("kind: openai"), wanted != 2, "{ours}");
        }
    }
}

#[tokio::test]
async fn a_request_is_explained() {
    let directory = directory(GOOD);
    let request = r#"{"model":"fast","messages":[{"role":"user","content":"hi"}]}"#;
    std::fs::write(directory.path().join("request.json"), request).expect("a file");
    let process = Process::start(directory.path(), &["explain", "--request", "request.json"], &[]);
    assert_eq!(process.exit().await, Some(0), "{}", process.stderr.text());
    let said = process.stdout.text();
    assert!(said.contains("1. p/large") && said.contains("answers have to satisfy: complete,"), "{said}");
}

#[tokio::test]
async fn a_stand_alone_simulator_answers_until_told_to_end() {
    let directory = directory("");
    for signal in ["TERM", "INT"] {
        let process = Process::start(directory.path(), &["simulate", "--listen", "127.0.0.1:0"], &[]);
        let address = |line: &str| line.split_once("listening on http://")?.1.parse().ok();
        let address: SocketAddr = process.stderr.find("address", address).await;
        assert_eq!(Ask::whole("m").send(address).await.answer().await.status, 200);
        process.signal(signal);
        assert_eq!(process.exit().await, Some(0), "{signal}");
    }
}

#[tokio::test]
async fn without_any_configuration_the_simulator_serves_and_the_printed_command_works() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--log-format", "human"];
    let process = Process::start(directory.path(), &arguments, &[]);
    let body = |line: &str| Some(line.split_once("-d '")?.1.strip_suffix('\'')?.to_owned());
    let body = process.stderr.find("the body of the printed command", body).await;
    let said = process.stderr.text();
    assert!(said.contains("OPENAI_API_KEY") && said.contains("built-in simulator"), "{said}");
    let url = |line: &str| line.split_once("curl http://")?.1.split_once('/')?.0.parse().ok();
    let data: SocketAddr = process.stderr.find("the address of the printed command", url).await;
    let answer = Ask::post(body).send(data).await.answer().await;
    assert!(answer.status == 200 && !answer.said().is_empty(), "{}", answer.text());
}

#[tokio::test]
async fn with_a_key_in_the_environment_its_provider_serves() {
    let directory = tempfile::TempDir::new().expect("a directory");
    let arguments = ["explain", "--route", "mistral"];
    let process = Process::start(directory.path(), &arguments, &[("MISTRAL_API_KEY", "sk-canary-environment")]);
    assert_eq!(process.exit().await, Some(0), "{}", process.stderr.text());
    assert!(process.stdout.text().contains("route mistral"), "{}", process.stdout.text());
    assert!(!(process.stdout.text() + &process.stderr.text()).contains("canary"));
}

#[tokio::test]
async fn secrets_are_never_told() {
    let provider = Provider::behaving("{}").await;
    let refusal = r#"{"fault":{"status":{"status":401,"message":"wrong key: sk-canary-echo"}}}"#;
    provider.script(&["{}", refusal, r#"{"fault":"reset"}"#]);
    let yaml = format!(
        "admin: {{ token: sk-canary-admin }}
providers:
  p: {{ kind: openai, base_url: \"{}\", keys: [sk-canary-one, '${{KEY}}'], headers: {{ x-secret: sk-canary-header }} }}
routes: {{ chat: {{ targets: [p/m] }} }}
callers: [{{ name: app, key: sk-canary-caller }}]",
        provider.url
    );
    let gateway = Gateway::with(&yaml, &[("KEY", "sk-canary-two"), ("RUST_LOG", "trace")]).await;
    let mut told = String::new();
    for key in ["sk-canary-caller", "sk-canary-caller", "sk-canary-caller", "sk-canary-wrong"] {
        let answer = gateway.ask(Ask::whole("chat").header("authorization", &format!("Bearer {key}"))).await;
        gateway.record(&answer.id).await;
        told += &format!("{}\n{}\n", answer.head, answer.text());
    }
    let page = Ask::get("/metrics").header("authorization", "Bearer sk-canary-admin").send(gateway.admin).await;
    let page = page.answer().await;
    assert_eq!(page.status, 200);
    gateway.process.signal("INT");
    assert_eq!(gateway.process.exit().await, Some(0));
    told += &(page.text() + &gateway.process.stdout.text() + &gateway.process.stderr.text());
    let leak = told.lines().find(|line| line.contains("canary"));
    // The second call: a key that is refused, a connection that is lost, and the answer after a pause.
    assert_eq!((leak, provider.calls()), (None, 5));
}

/// A gateway that drains like this, over a provider that streams for about a second.
async fn draining(drain: &str) -> (Provider, Gateway) {
    let provider = Provider::behaving(r#"{"tokens":40,"pace":"30ms"}"#).await;
    let yaml = format!("routes: {{ chat: {{ targets: [p/m] }} }}\ndrain: {{ {drain} }}");
    let gateway = Gateway::start(&config(&[("p", &provider.url)], &yaml)).await;
    (provider, gateway)
}

async fn says(gateway: &Gateway, what: &str) {
    gateway.process.stderr.find(what, |line| line.contains(what).then_some(())).await;
}

async fn status(of: SocketAddr, path: &str) -> u16 {
    Ask::get(path).send(of).await.answer().await.status
}

#[tokio::test]
async fn told_to_end_it_finishes_what_runs() {
    let (_provider, gateway) = draining("linger: 500ms, timeout: 30s").await;
    assert_eq!((status(gateway.data, "/readyz").await, status(gateway.admin, "/readyz").await), (200, 200));
    let mut running = gateway.send(Ask::stream("chat")).await;
    running.until("\"content\":\"A").await;
    gateway.process.signal("TERM");
    says(&gateway, "stopping: unready, still accepting").await;
    assert_eq!((status(gateway.data, "/readyz").await, status(gateway.admin, "/readyz").await), (503, 503));
    assert_eq!((status(gateway.data, "/livez").await, status(gateway.admin, "/livez").await), (200, 200));
    let late = gateway.send(Ask::stream("chat")).await;
    says(&gateway, "draining").await;
    soon("a closed door", async { while TcpStream::connect(gateway.data).await.is_ok() {} }).await;
    assert_eq!(status(gateway.admin, "/metrics").await, 200, "operators see the end");
    for call in [running, late] {
        let answer = call.answer().await;
        assert!(answer.sketch().ends_with("fD."), "{}", answer.sketch());
        assert_eq!(gateway.record(&answer.id).await["outcome"], "success");
    }
    assert_eq!(gateway.process.exit().await, Some(0), "{}", gateway.process.stderr.text());
}

#[tokio::test]
async fn patience_has_an_end() {
    for (drain, signals) in [
        ("linger: 0s, timeout: 300ms", &["TERM"][..]),
        ("linger: 60s, timeout: 60s", &["TERM", "TERM"]),
        ("linger: 60s, timeout: 60s", &["TERM", "INT"]),
        ("linger: 60s, timeout: 60s", &["INT", "INT"]),
    ] {
        let (provider, gateway) = draining(drain).await;
        provider.script(&[r#"{"tokens":1000,"pace":"50ms"}"#]);
        let mut running = gateway.send(Ask::stream("chat")).await;
        running.until("\"content\":\"A").await;
        let began = Instant::now();
        for signal in signals {
            gateway.process.signal(signal);
            says(&gateway, "stopping").await;
        }
        assert_eq!(gateway.process.exit().await, Some(0), "{drain} {signals:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{drain} {signals:?}");
        let answer = running.answer().await;
        assert!(answer.end != End::Complete && !answer.text().contains("[DONE]"), "{}", answer.sketch());
        assert_eq!(gateway.record(&answer.id).await["outcome"], "cancelled", "{drain} {signals:?}");
    }
}

#[tokio::test]
async fn an_idle_gateway_ends_at_once_when_interrupted() {
    let (_provider, gateway) = draining("linger: 60s, timeout: 60s").await;
    let _idle = Exchange::open(gateway.data, String::new()).await;
    let mut kept = Exchange::saying(gateway.data, b"GET /livez HTTP/1.1\r\nhost: g\r\n\r\n").await;
    kept.until("alive").await;
    gateway.process.signal("INT");
    assert_eq!(gateway.process.exit().await, Some(0));
}
