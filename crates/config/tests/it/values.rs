//! What a sound file comes to: values, defaults, references, and that secrets stay unseen.

use crate::{accepted, env, lines, read};
use config::{Format, Provider, Settings, parse};
use routing::ModelChoice;
use secrecy::ExposeSecret;
use std::io::Write;
use std::time::Duration;
use upstream::ProviderSettings;

fn http(settings: &Settings, place: usize) -> &ProviderSettings {
    match &settings.providers[place] {
        Provider::Http(settings) => settings,
        Provider::Simulated { name, .. } => panic!("{name} is simulated"),
    }
}

#[test]
fn nothing_said_gives_the_defaults() {
    let settings = accepted("direct: false");
    let shown = format!("{settings:?}");
    for part in [
        "listen: 127.0.0.1:8080, open: false, admin: Admin { listen: 127.0.0.1:8081, token: None }",
        "body: 16777216, connections: 10000, header_timeout: 60s",
        "linger: 5s, timeout: 300s",
        "timeouts: Timeouts { connect: 2s, first_token: 60s, idle: 60s, total: 600s }, max_attempts: 3",
        "direct: None, gates: Gates",
        "callers: [], objectives: [Objective { first_token_under: 2s }], contracts: [AnswerPolicy",
        "hold: Hold { bytes: 4194304, time: 120s }, webhook: None }], warnings: []",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
}

#[test]
fn everything_said_is_taken() {
    let settings = accepted(
        "listen: 127.0.0.1:1
open: false
admin: { listen: '127.0.0.1:2', token: '${SECRET}' }
direct: true
limits: { body: 64KiB, connections: 5, header_timeout: 500ms }
drain: { linger: 0s, timeout: 1m30s }
defaults: { timeouts: { total: 300s, idle: 20s }, retry: { max_attempts: 5 } }
routes:
  r:
    aliases: [gpt-4o, 'fast-*']
    targets: [p/m]
    timeouts: { connect: 1s, first_token: 10s, total: 15s }
    retry: { max_attempts: 2 }
    slo: { first_token: { under: 3s } }
callers: [{ name: app, key: { env: SECRET }, routes: [r], limits: { rpm: 600, concurrency: 50 } }]
",
    );
    assert_eq!(settings.listen.port(), 1);
    assert_eq!(settings.admin.listen.port(), 2);
    assert_eq!(settings.admin.token.unwrap().expose_secret(), "resolved-secret-1");
    assert_eq!((settings.limits.body, settings.limits.connections), (65_536, 5));
    assert_eq!(settings.limits.header_timeout, Duration::from_millis(500));
    assert_eq!((settings.drain.linger, settings.drain.timeout), (Duration::ZERO, Duration::from_secs(90)));

    let direct = settings.direct.unwrap();
    assert_eq!((direct.timeouts.total, direct.max_attempts), (Duration::from_secs(300), 5));

    let route = &settings.routes[0];
    assert_eq!(route.aliases, ["gpt-4o", "fast-*"]);
    let seconds = |duration: Duration| duration.as_secs();
    let timeouts = route.policy.timeouts;
    assert_eq!([timeouts.connect, timeouts.first_token, timeouts.total].map(seconds), [1, 10, 15]);
    assert_eq!(seconds(timeouts.idle), 15, "an inherited timeout is cut to a shorter total");
    assert_eq!(route.policy.max_attempts, 2);
    assert_eq!(settings.objectives[0].first_token_under, Duration::from_secs(3));

    let caller = &settings.callers[0];
    assert_eq!((&*caller.name, caller.key.expose_secret()), ("app", "resolved-secret-1"));
    assert_eq!(caller.routes.as_deref(), Some(&["r".into()][..]));
    assert_eq!((caller.rpm.unwrap().get(), caller.concurrency.unwrap().get()), (600, 50));
}

#[test]
fn a_list_of_targets_is_a_chain() {
    let settings = accepted(
        "routes: { r: { targets: [p/a, { target: q/b, weight: 3, priority: 1 }, { target: 'q/*' }, q/x/y] } }",
    );
    let targets = settings.routes[0].targets.iter().map(|target| {
        let model = match &target.model {
            ModelChoice::Fixed(model) => model.to_string(),
            ModelChoice::AsRequested => "(requested)".to_owned(),
        };
        (target.provider.to_string(), model, target.weight, target.priority)
    });
    let expected = [("p", "a", 1, 1), ("q", "b", 3, 1), ("q", "(requested)", 1, 3), ("q", "x/y", 1, 4)];
    assert_eq!(targets.collect::<Vec<_>>(), expected.map(|(p, m, w, n)| (p.to_owned(), m.to_owned(), w, n)));
}

#[test]
fn clouds_live_where_their_region_or_location_is() {
    for (provider, expected) in [
        ("bedrock, region: eu-west-1", "https://bedrock-runtime.eu-west-1.amazonaws.com/"),
        ("vertex, project: a-1", "https://aiplatform.googleapis.com/v1/projects/a-1/locations/global"),
        (
            "vertex, project: a-1, location: europe-west1",
            "https://europe-west1-aiplatform.googleapis.com/v1/projects/a-1/locations/europe-west1",
        ),
        ("vertex, project: a-1, location: us", "https://aiplatform.us.rep.googleapis.com/v1/projects/a-1/locations/us"),
    ] {
        let settings = accepted(&format!("providers: {{ p: {{ kind: {provider}, api_key: k }} }}"));
        assert_eq!(http(&settings, 0).base_url.to_string(), expected, "{provider}");
    }
}

#[test]
fn a_provider_is_its_preset_with_what_the_file_says() {
    let settings = accepted(
        "providers:
  a: { kind: groq }
  b: { kind: openai, base_url: 'http://127.0.0.1:8000/v1///' }
  c: { kind: perplexity, keys: [one, '${SECRET}'], headers: { X-Title: 'n-${SECRET}' }, done_marker: true }
  d: { kind: lm studio, done_marker: false }
  e: { kind: llamacpp, api_key: os.environ/SECRET }
  p: { kind: simulator, behaviour: { latency: '${NOT_EXPANDED}', deep: [1, { a: null }] } }
",
    );
    let keys = |place: usize| -> Vec<_> {
        http(&settings, place).credential.keys().iter().map(|key| key.expose_secret().to_owned()).collect()
    };
    let shown: Vec<_> = (0..5)
        .map(|place| {
            let provider = http(&settings, place);
            (&*provider.name, provider.base_url.to_string(), keys(place).join(" "), provider.quirks.done_marker)
        })
        .collect();
    let expected = [
        ("a", "https://api.groq.com/openai/v1", "groq-key-1", true),
        ("b", "http://127.0.0.1:8000/v1", "", true),
        ("c", "https://api.perplexity.ai/", "one resolved-secret-1", true),
        ("d", "http://127.0.0.1:1234/v1", "", false),
        ("e", "http://127.0.0.1:8080/v1", "resolved-secret-1", true),
    ];
    assert_eq!(shown, expected.map(|(name, url, keys, done)| (name, url.to_owned(), keys.to_owned(), done)));
    let (name, value) = &http(&settings, 2).headers[0];
    assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-title", "n-resolved-secret-1"));

    let Provider::Simulated { name, behaviour: Some(behaviour) } = &settings.providers[5] else { panic!() };
    assert_eq!(&**name, "p");
    assert_eq!(behaviour.to_string(), r#"{"deep":[1,{"a":null}],"latency":"${NOT_EXPANDED}"}"#);
}

#[test]
fn json_and_toml_say_the_same() {
    let json =
        "{\n\t\"providers\": {\"p\": {\"kind\": \"simulator\"}},\n\t\"routes\": {\"r\": {\"targets\": [\"p/m\"]}}\n}";
    let toml = "providers.p = { kind = 'simulator' }\n[routes.r]\ntargets = ['p/m']\n";
    let [json, toml] = [(json, Format::Yaml), (toml, Format::Toml)]
        .map(|(text, format)| parse(text, format, &env(&[])).map_err(|faults| lines(&faults)).unwrap());
    assert_eq!(format!("{json:?}"), format!("{toml:?}"));
}

#[test]
fn references_that_lead_nowhere_name_the_variable_or_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = directory.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path.display().to_string()
    };
    let sound = file("sound", b"from-a-file\r\n");
    let empty = file("empty", b"\n");
    let binary = file("binary", b"\xff\xfe");
    let large = file("large", &[b'x'; (64 << 10) + 1]);
    let missing = directory.path().join("missing").display().to_string();

    let settings = accepted(&format!("admin: {{ token: {{ file: '{sound}' }} }}"));
    assert_eq!(settings.admin.token.unwrap().expose_secret(), "from-a-file");

    for (token, expected) in [
        ("'${UNSET}'".to_owned(), "the variable UNSET is not set"),
        ("'os.environ/UNSET'".to_owned(), "the variable UNSET is not set"),
        ("{ env: UNSET }".to_owned(), "the variable UNSET is not set"),
        ("{ env: EMPTY }".to_owned(), "is empty"),
        ("{ env: 'sk-1 x' }".to_owned(), "a reference must name a variable"),
        (format!("{{ file: '{empty}' }}"), "is empty"),
        (format!("{{ file: '{binary}' }}"), "is not written in UTF-8"),
        (format!("{{ file: '{large}' }}"), "it is larger than 64 KiB"),
        (format!("{{ file: '{missing}' }}"), "cannot read the file"),
    ] {
        let faults = lines(&read(&format!("admin: {{ token: {token} }}")).map(|_| ()).unwrap_err());
        assert_eq!(faults.len(), 1, "{token}: {faults:?}");
        assert!(faults[0].starts_with("admin.token: ") && faults[0].contains(expected), "{token}: {faults:?}");
    }
}

#[test]
fn no_value_of_a_reference_changes_the_files_structure() {
    let hostile = [("X", "a, b]\nopen: true\n#")];
    let yaml = "providers: { p: { kind: simulator } }\nroutes: { r: { aliases: ['${X}'], targets: [p/m] } }";
    let settings = parse(yaml, Format::Yaml, &env(&hostile)).unwrap();
    assert_eq!((settings.open, settings.routes[0].aliases.len()), (false, 1));
}

/// Puts a reference to a secret into every text there is, sound or not.
#[test]
fn what_a_reference_stands_for_is_never_shown() {
    let sound = accepted(
        "admin: { token: '${SECRET}' }
providers: { p: { kind: openai, api_key: '${SECRET}', headers: { x-a: '${SECRET}' } } }
callers: [{ name: a, key: '${SECRET}' }]
",
    );
    let shown = format!("{sound:?} {:?}", lines(&sound.warnings));
    assert!(!shown.contains("resolved"), "{shown}");

    let wrong = "listen: '${SECRET}'
admin: { listen: '${SECRET}', token: '${NEWLINE}' }
limits: { body: '${SECRET}', header_timeout: '${SECRET}' }
providers:
  k: { kind: '${SECRET}' }
  p: { kind: vllm, base_url: 'x://${SECRET}', api_key: '${NEWLINE}', headers: { a: '${NEWLINE}' } }
  u: { kind: vllm, base_url: '${SECRET}' }
  f: { kind: vllm, api_key: { file: '/nowhere/${SECRET}' } }
routes:
  r: { aliases: ['${SECRET}', '${SECRET}'], targets: ['${SECRET}/m', '${SECRET}'], balance: '${SECRET}' }
callers:
  - { name: '${NEWLINE}', key: '${NEWLINE}', routes: ['${SECRET}'] }
  - { name: '${SECRET}', key: '${SECRET}' }
  - { name: '${SECRET}', key: '${SECRET}' }
";
    let faults = read(wrong).map(|_| ()).unwrap_err();
    let shown = lines(&faults).join("\n");
    assert!(!shown.contains("resolved"), "{shown}");
    assert_eq!(faults.len(), 20, "{shown}");
}
