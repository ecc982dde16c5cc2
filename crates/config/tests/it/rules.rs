//! Every rule of the file: what is refused, where, in which words; and what is only warned about.

use crate::{VARIABLES, env, lines, read};
use config::{Format, parse};

const KINDS: &str = "known kinds are openai, anthropic, gemini, cohere, bedrock, vertex, azure_openai, mistral, groq, deepseek, xai, together, fireworks, openrouter, \
                     perplexity, ollama, ollama_native, vllm, llama.cpp, lm_studio, sglang, simulator";

/// Checks a table of snippets against all the lines they must give.
pub(crate) fn refused(cases: &[(&str, &[&str])]) {
    for (yaml, expected) in cases {
        let faults = read(yaml).map(|_| ()).expect_err(yaml);
        assert_eq!(lines(&faults), *expected, "{yaml}");
    }
}

#[test]
fn the_top_of_the_file() {
    refused(&[
        ("lisen: 127.0.0.1:1", &["lisen: unknown key (did you mean `listen`?)"]),
        ("wibble: 1", &["wibble: unknown key"]),
        ("store: { path: x }", &["store: not in this version yet"]),
        ("listen: 8080", &["listen: expected text, not a number"]),
        ("listen: localhost", &["listen: `localhost` is no IP:PORT such as 127.0.0.1:8080, 0.0.0.0:8080 or [::]:8080"]),
        ("open: 1", &["open: expected true or false, not a number"]),
        ("direct: 'yes'", &["direct: expected true or false, not text"]),
        ("admin: 8081", &["admin: expected a mapping, not a number"]),
        ("admin: { tokn: x }", &["admin.tokn: unknown key (did you mean `token`?)"]),
        ("admin:", &["admin: expected a mapping, not nothing"]),
        (
            "limits: { body: 16 }",
            &["limits.body: expected a size with its unit (64KiB, 16MiB, 10MB, 1GiB), not a number"],
        ),
        ("limits: { body: '16' }", &["limits.body: `16` has no unit: write 64KiB, 16MiB, 10MB or 1GiB"]),
        ("limits: { body: 16mb }", &["limits.body: `16mb` is no size: write 64KiB, 16MiB, 10MB or 1GiB"]),
        ("limits: { body: 0MiB }", &["limits.body: must be more than 0"]),
        ("limits: { connections: 0 }", &["limits.connections: must be more than 0"]),
        (
            "limits: { connections: -1 }",
            &["limits.connections: expected a whole number up to 4294967295, not a negative number"],
        ),
        ("limits: { header_timeout: 0s }", &["limits.header_timeout: must be more than 0"]),
        (
            "drain: { linger: 5 }",
            &["drain.linger: expected a duration with its unit (500ms, 2s, 1m30s, 1h), not a number"],
        ),
        ("drain: { linger: '5' }", &["drain.linger: `5` has no unit: write 500ms, 2s, 1m30s or 1h"]),
        ("drain: { timeout: soon }", &["drain.timeout: `soon` is no duration: write 500ms, 2s, 1m30s or 1h"]),
        ("drain: { timeout: 9999h }", &["drain.timeout: `9999h` is too long: 720h is the most"]),
    ]);
}

#[test]
fn providers() {
    refused(&[
        ("providers: {}\nroutes: {}\ndirect: true", &["providers: at least one provider is needed"]),
        ("providers: { p: {} }", &["providers.p.kind: is missing"]),
        ("providers: { p: }", &["providers.p: expected a mapping, not nothing"]),
        (
            "providers: { p: { kind: opnai } }",
            &[&format!("providers.p.kind: unknown kind `opnai` (did you mean `openai`?); {KINDS}")],
        ),
        (
            "providers: { p: { kind: anthropic } }",
            &["providers.p.api_key: is missing; set it, or the variable ANTHROPIC_API_KEY"],
        ),
        (
            "providers: { p: { kind: azure_openai, api_key: k } }",
            &["providers.p.base_url: is missing: kind azure_openai has no address of its own"],
        ),
        (
            "providers: { p: { kind: azure_openai, base_url: 'https://r.test/openai', api_key: k, api_version: '../x' } }",
            &["providers.p.api_version: is no version, such as 2024-10-21"],
        ),
        (
            "providers: { p: { kind: gemini, api_key: k, api_version: v1 } }",
            &["providers.p.api_version: means nothing but to kind azure_openai"],
        ),
        (
            "providers: { p: { kind: vllm, passthrough: [a, '/a?b', '/../b', /a/*, /*] } }",
            &[
                "providers.p.passthrough[0]: `a` is no path such as /assistants or /threads/*",
                "providers.p.passthrough[1]: `/a?b` is no path such as /assistants or /threads/*",
                "providers.p.passthrough[2]: `/../b` is no path such as /assistants or /threads/*",
            ],
        ),
        (
            "providers: { p: { kind: vllm } }\nfiles_provider: q",
            &["files_provider: no provider is named `q` (did you mean `p`?)"],
        ),
        ("providers: { p: { kind: vllm, apis: [] } }", &["providers.p.apis: is empty; name at least one"]),
        (
            "providers: { p: { kind: vllm, apis: [respnses, messages, messages] } }",
            &[
                "providers.p.apis[0]: unknown API `respnses` (did you mean `responses`?); known are chat_completions, responses, messages, generate_content, cohere, ollama, converse, bedrock_count_tokens, cohere_embed, ollama_embed, completions, embeddings, moderations, image_generations, image_edits, image_variations, speech, transcriptions, translations, rerank, count_tokens, input_tokens, gemini_count_tokens, gemini_embed, gemini_batch_embed, realtime, gemini_live",
                "providers.p.apis[2]: is named twice",
            ],
        ),
        (
            "providers: { p: { kind: anthropic, api_key: k, headers: { x-api-key: k } } }",
            &["providers.p.headers.x-api-key: is made from the provider's key; give one of the two"],
        ),
        (
            "providers: { p: { kind: bedrock, api_key: k } }",
            &["providers.p.region: is missing; set it, or the variable AWS_REGION"],
        ),
        (
            "providers: { p: { kind: vertex, api_key: k } }",
            &["providers.p.project: is missing; set it, or the variable GOOGLE_CLOUD_PROJECT"],
        ),
        (
            "providers: { p: { kind: vertex, api_key: k, project: 'a/b' } }",
            &[
                "providers.p.project: `a/b` may hold letters, digits, `-` and `:` only",
                "providers.p.project: is missing; set it, or the variable GOOGLE_CLOUD_PROJECT",
            ],
        ),
        (
            "providers: { p: { kind: gemini, api_key: k, project: a } }",
            &["providers.p.project: means nothing but to kind vertex"],
        ),
        (
            "providers: { p: { kind: vllm, api_kee: x } }",
            &["providers.p.api_kee: unknown key (did you mean `api_key`?)"],
        ),
        (
            "providers: { p: { kind: openai } }",
            &["providers.p.api_key: is missing; set it, or the variable OPENAI_API_KEY"],
        ),
        (
            "providers: { p: { kind: mistral } }",
            &["providers.p.api_key: the variable MISTRAL_API_KEY holds characters that no HTTP header can carry"],
        ),
        (
            "providers: { p: { kind: openai, api_key: a, keys: [b] } }",
            &["providers.p.keys: stands beside api_key; give one of the two"],
        ),
        ("providers: { p: { kind: openai, keys: [] } }", &["providers.p.keys: is empty; give at least one key"]),
        ("providers: { p: { kind: openai, keys: sk-literal } }", &["providers.p.keys: expected a list, not text"]),
        (
            "providers: { p: { kind: openai, keys: [a, 5] } }",
            &["providers.p.keys[1]: expected text, {env: NAME} or {file: PATH}, not a number"],
        ),
        (
            "providers: { p: { kind: openai, api_key: { evn: X } } }",
            &["providers.p.api_key: expected text, {env: NAME} or {file: PATH}, not a mapping"],
        ),
        (
            "providers: { p: { kind: openai, api_key: '${NEWLINE}' } }",
            &["providers.p.api_key: holds characters that no HTTP header can carry"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'ftp://h/v1' } }",
            &["providers.p.base_url: must begin with http:// or https://"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'h/v1' } }",
            &["providers.p.base_url: is no URL such as https://api.example.com/v1"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'https://h/v1?a=b' } }",
            &["providers.p.base_url: must have no query (`?...`)"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'https://h/v1#a' } }",
            &["providers.p.base_url: must have no fragment (`#...`)"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'https://u:pass@h/v1' } }",
            &["providers.p.base_url: must hold no user or password; use `api_key` or `headers`"],
        ),
        (
            "providers: { p: { kind: vllm, base_url: 'https:///v1' } }",
            &["providers.p.base_url: is no URL such as https://api.example.com/v1"],
        ),
        (
            "providers: { p: { kind: vllm, headers: { 'a b': x, Host: x, X-A: x, x-a: y, x-b: '' } } }",
            &[
                "providers.p.headers.Host: belongs to the transport and cannot be set",
                "providers.p.headers[\"a b\"]: is no header name",
                "providers.p.headers.x-a: is given twice",
                "providers.p.headers.x-b: is empty",
            ],
        ),
        (
            "providers: { p: { kind: vllm, api_key: k, headers: { Authorization: x } } }",
            &["providers.p.headers.authorization: is made from the provider's key; give one of the two"],
        ),
        (
            "providers: { p: { kind: vllm, behaviour: {} } }",
            &["providers.p.behaviour: means nothing but to kind simulator"],
        ),
        (
            "providers: { p: { kind: vllm, done_marker: 1 } }",
            &["providers.p.done_marker: expected true or false, not a number"],
        ),
        (
            "providers: { p: { kind: simulator, base_url: x, keys: [a] } }",
            &[
                "providers.p.base_url: means nothing to kind simulator",
                "providers.p.keys: means nothing to kind simulator",
            ],
        ),
        (
            "providers: { p: { kind: simulator, behaviour: fast } }",
            &["providers.p.behaviour: expected a mapping, not text"],
        ),
        (
            "providers: { p: { kind: simulator }, a/b: { kind: simulator }, 'a b': { kind: simulator } }",
            &[
                "providers[\"a b\"]: `a b` is no name: only printable ASCII without spaces",
                "providers[\"a/b\"]: `a/b` is no provider's name: it may hold neither `/` nor `*`",
            ],
        ),
    ]);
}

#[test]
fn routes() {
    refused(&[
        ("routes: {}", &["routes: nothing can be called: add a route or `direct: true`"]),
        ("routes: [p/m]", &["routes: expected a mapping, not a list"]),
        ("routes: { r: }", &["routes.r: expected a mapping, not nothing"]),
        ("routes: { r: {} }", &["routes.r.targets: is missing"]),
        ("routes: { r: { targets: [] } }", &["routes.r.targets: is empty; name at least one provider/model"]),
        ("routes: { r: { targets: p/m } }", &["routes.r.targets: expected a list, not text"]),
        (
            "routes: { r: { targets: [p/m, pp/m] } }",
            &["routes.r.targets[1]: no provider is named `pp` (did you mean `p`?)"],
        ),
        (
            "routes: { r: { targets: [{ target: elsewhere/m }] } }",
            &["routes.r.targets[0].target: no provider is named `elsewhere`"],
        ),
        (
            "routes: { r: { targets: [m, 'p/', 'p/a*', 'p/a b'] } }",
            &[
                "routes.r.targets[0]: `m` is no target: write provider/model or provider/*",
                "routes.r.targets[1]: `p/` is no target: write provider/model or provider/*",
                "routes.r.targets[2]: `p/a*` is no target: `*` stands alone, as in provider/*",
                "routes.r.targets[3]: `p/a b` is no target: write provider/model or provider/*",
            ],
        ),
        (
            "routes: { r: { targets: [5, { wight: 1 }, { target: p/m, weight: heavy, priority: 1.5 }] } }",
            &[
                "routes.r.targets[0]: expected provider/model or {target, weight, priority}, not a number",
                "routes.r.targets[1].wight: unknown key (did you mean `weight`?)",
                "routes.r.targets[1].target: is missing",
                "routes.r.targets[2].weight: expected a whole number up to 4294967295, not text",
                "routes.r.targets[2].priority: expected a whole number up to 4294967295, not a fraction",
            ],
        ),
        (
            "routes: { r: { targets: [{ target: p/m, weight: 0 }, { target: q/m, weight: 0 }] } }",
            &["routes.r.targets: every weight is 0, so nothing could be called"],
        ),
        (
            "routes: { direct: { targets: [p/m] }, none: { targets: [p/m] }, a/b: { targets: [p/m] } }",
            &[
                "routes[\"a/b\"]: `a/b` is no route's name: it may hold neither `/` nor `*`; aliases may",
                "routes.direct: `direct` is reserved; choose another name",
                "routes.none: `none` is reserved; choose another name",
            ],
        ),
        (
            "routes: { a: { aliases: [b, x, ''], targets: [p/m] }, b: { aliases: [x, b], targets: [p/m] } }",
            &[
                "routes.a.aliases[0]: `b` already belongs to routes.b",
                "routes.a.aliases[2]: is empty",
                "routes.b.aliases[0]: `x` already belongs to routes.a",
                "routes.b.aliases[1]: `b` already belongs to routes.b",
            ],
        ),
        ("routes: { r: { targets: [p/m], contract: {}, colour: x } }", &["routes.r.colour: unknown key"]),
        (
            "routes: { r: { targets: [p/m], timeouts: { connect: 3s, first_token: 3s, idle: 3s, total: 2s } } }",
            &[
                "routes.r.timeouts.connect: is longer than the total of 2s, so it could never act",
                "routes.r.timeouts.first_token: is longer than the total of 2s, so it could never act",
                "routes.r.timeouts.idle: is longer than the total of 2s, so it could never act",
            ],
        ),
        (
            "routes: { r: { targets: [p/m], timeouts: { connect: 0ms, total: 5 } } }",
            &[
                "routes.r.timeouts.total: expected a duration with its unit (500ms, 2s, 1m30s, 1h), not a number",
                "routes.r.timeouts.connect: must be more than 0",
            ],
        ),
        (
            "routes: { r: { targets: [p/m], slo: { availability: 99.9%, window: 30d, first_token: { under: 0s, share: 1 } } } }",
            &[
                "routes.r.slo.availability: not in this version yet",
                "routes.r.slo.window: not in this version yet",
                "routes.r.slo.first_token.share: not in this version yet",
                "routes.r.slo.first_token.under: must be more than 0",
            ],
        ),
        (
            "defaults: { timeouts: { first_token: 700s }, retry: { max_attempts: 0 }, slo: {}, contract: {}, targets: [] }",
            &[
                "defaults.slo: not in this version yet",
                "defaults.targets: unknown key",
                "defaults.timeouts.first_token: is longer than the total of 600s, so it could never act",
                "defaults.retry.max_attempts: must be more than 0",
            ],
        ),
    ]);
}

#[test]
fn callers() {
    refused(&[
        ("callers: app", &["callers: expected a list, not text"]),
        ("callers: [{}]", &["callers[0].name: is missing", "callers[0].key: is missing"]),
        (
            "callers: [{ name: anonymous, key: 12345678x }]",
            &["callers[0].name: `anonymous` is reserved for calls without a caller"],
        ),
        ("callers: [{ name: a, key: '${SHORT}' }]", &["callers[0].key: is too short: a key has at least 8 characters"]),
        (
            "callers: [{ name: a, key: 'with some spaces' }]",
            &["callers[0].key: could not be sent by a client: only printable ASCII without spaces"],
        ),
        (
            "callers: [{ name: a, key: 12345678 }]",
            &["callers[0].key: expected text, {env: NAME} or {file: PATH}, not a number"],
        ),
        (
            "callers: [{ name: a, key: resolved-secret-1 }, { name: a, key: other-secret }, { name: b, key: '${SECRET}' }]",
            &[
                "callers[1].name: `a` is the name at callers[0].name already",
                "callers[2].key: is the key at callers[0].key already",
            ],
        ),
        (
            "routes: { chat: { targets: [p/m] } }\ncallers: [{ name: a, key: 12345678x, routes: [chta, other] }]",
            &[
                "callers[0].routes[0]: no route is named `chta` (did you mean `chat`?)",
                "callers[0].routes[1]: no route is named `other`",
            ],
        ),
        (
            "callers: [{ name: a, key: 12345678x, routes: [] }]",
            &["callers[0].routes: is empty, so nothing could be called; leave it out to allow every route"],
        ),
        (
            "callers: [{ name: a, key: 12345678x, limits: { rpm: 0, concurrency: 0, tpm: 5, spend: {}, rps: 1 } }]",
            &[
                "callers[0].limits.rps: unknown key (did you mean `rpm`?)",
                "callers[0].limits.spend: not in this version yet",
                "callers[0].limits.tpm: not in this version yet",
                "callers[0].limits.rpm: must be more than 0",
                "callers[0].limits.concurrency: must be more than 0",
            ],
        ),
    ]);
}

#[test]
fn listeners() {
    const EXPOSED: &str = "can be reached by others, and without callers everyone could use your keys: \
                           add callers, or say `open: true`";
    refused(&[
        ("listen: 0.0.0.0:80", &[&format!("listen: 0.0.0.0:80 {EXPOSED}")]),
        ("listen: '[::]:80'\ncallers: []", &[&format!("listen: [::]:80 {EXPOSED}")]),
        ("listen: 10.0.0.1:80\ncallers: [{ name: a }]", &["callers[0].key: is missing"]),
        ("admin: { listen: 0.0.0.0:9 }", &["admin.token: is needed, since 0.0.0.0:9 can be reached by others"]),
        ("admin: { listen: 0.0.0.0:9, token: '${EMPTY}' }", &["admin.token: is empty"]),
        (
            "admin: { token: '${NEWLINE}' }",
            &["admin.token: could not be sent by a client: only printable ASCII without spaces"],
        ),
        ("admin: { listen: 127.0.0.1:8080 }", &["admin.listen: 127.0.0.1:8080 is taken by `listen` (127.0.0.1:8080)"]),
        ("listen: 0.0.0.0:8081\nopen: true", &["admin.listen: 127.0.0.1:8081 is taken by `listen` (0.0.0.0:8081)"]),
    ]);
    for accepted in [
        "listen: '[::1]:80'",
        "listen: '[::ffff:127.0.0.1]:80'",
        "listen: 0.0.0.0:80\nopen: true",
        "listen: 0.0.0.0:80\ncallers: [{ name: a, key: 12345678x }]",
        "listen: 127.0.0.1:0\nadmin: { listen: 127.0.0.1:0 }",
        "listen: 127.0.0.1:9\nadmin: { listen: 127.0.0.2:9 }",
        "admin: { listen: 0.0.0.0:9, token: t }",
    ] {
        assert!(read(accepted).is_ok(), "{accepted}");
    }
}

#[test]
fn addresses_from_a_command_line_keep_the_rules() {
    let settings = read("open: false").unwrap();
    let everyone = Some("0.0.0.0:80".parse().unwrap());
    let faults = settings.clone().listening(everyone, everyone).map(|_| ()).unwrap_err();
    let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["listen", "admin.token", "admin.listen"]);

    let other = Some("127.0.0.1:9".parse().unwrap());
    let moved = settings.listening(other, None).unwrap();
    assert_eq!((moved.listen, moved.admin.listen), ("127.0.0.1:9".parse().unwrap(), config::defaults::ADMIN_LISTEN));

    let open = read("open: true").unwrap().listening(everyone, None).unwrap();
    assert_eq!(lines(&open.warnings), [""; 0]);
}

#[test]
fn warnings() {
    const UNENCRYPTED: &str = "keys and prompts travel unencrypted over http:// to another host";
    let remote = format!("providers.p.base_url: {UNENCRYPTED}");
    for (yaml, expected) in [
        ("direct: true", vec![]),
        (
            "routes: { r: { targets: [p/a, p/b] } }",
            vec!["routes.r.targets: all share vendor p: the failover chain stays inside one failure domain"],
        ),
        ("routes: { r: { targets: [p/a, q/b] } }", vec![]),
        ("open: true", vec!["open: does nothing: only this machine can reach `listen`, and needs no key"]),
        (
            "listen: 0.0.0.0:80\nopen: true\ncallers: [{ name: a, key: 12345678x }]",
            vec!["open: does nothing: with callers, every call needs a key"],
        ),
        ("providers: { p: { kind: vllm, base_url: 'http://10.0.0.1/v1' } }", vec![&*remote]),
        ("providers: { p: { kind: vllm, base_url: 'http://vllm.lan/v1' } }", vec![&*remote]),
        ("providers: { p: { kind: vllm, base_url: 'http://[::1]:80/v1' } }", vec![]),
        ("providers: { p: { kind: vllm, base_url: 'http://localhost/v1' } }", vec![]),
        ("providers: { p: { kind: vllm, base_url: 'https://vllm.lan/v1' } }", vec![]),
    ] {
        let settings = read(yaml).map_err(|faults| lines(&faults)).expect(yaml);
        assert_eq!(lines(&settings.warnings), expected, "{yaml}");
    }
}

#[test]
fn ten_faults_of_ten_kinds_are_told_at_once() {
    let yaml = r#"
listen: nowhere
store: { path: x }
limits: { body: 16 }
providers:
  openai: { kind: opnai }
  local: { kind: vllm, api_key: "${UNSET}" }
routes:
  direct: { targets: [local/m] }
  chat:
    targets: [locl/m]
    timeouts: { connect: 0s }
    wieght: 3
callers: [{ name: app, key: short }]
"#;
    let faults = parse(yaml, Format::Yaml, &env(VARIABLES)).map(|_| ()).unwrap_err();
    let paths: Vec<_> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "store",
            "listen",
            "limits.body",
            "providers.local.api_key",
            "providers.openai.kind",
            "routes.chat.wieght",
            "routes.chat.targets[0]",
            "routes.chat.timeouts.connect",
            "routes.direct",
            "callers[0].key",
        ]
    );
    assert_eq!(config::render(&faults[..1], &faults[1..2]).lines().count(), 2);
}

#[test]
fn what_cannot_be_parsed_names_line_and_column() {
    let bomb = (b'b'..=b'h').fold("a: &a [x,x,x,x,x,x,x,x,x,x]\n".to_owned(), |text, name| {
        let (name, before) = (name as char, (name - 1) as char);
        text + &format!("{name}: &{name} [{}]\n", vec![format!("*{before}"); 10].join(","))
    });
    let nested = "[".repeat(1 << 20);
    for (text, format, expected) in [
        ("", Format::Yaml, "the file is empty"),
        ("# nothing\n", Format::Yaml, "the file is empty"),
        ("", Format::Toml, "the file is empty"),
        ("[]", Format::Yaml, "a configuration is a mapping"),
        ("providers:\n  p: { kind: vllm\nroutes:\n", Format::Yaml, "line 3, column 7: "),
        ("providers:\n  p: { api_key: \"sk-literal\n", Format::Yaml, "line 2, column 17: unclosed quote"),
        ("a: 1\na: 2\n", Format::Yaml, "line 2, column 1: duplicate mapping key `a`"),
        ("a: 1\n---\nb: 1\n", Format::Yaml, "line 3, column 1: "),
        ("listen = 'x'\n[providers\n", Format::Toml, "line 2, column 11: "),
        ("é = 1\n", Format::Toml, "line 1, column 1: "),
        (&bomb, Format::Yaml, "line "),
        (&nested, Format::Yaml, "line 1, column "),
    ] {
        let faults = lines(&parse(text, format, &env(&[])).map(|_| ()).unwrap_err());
        let start: String = text.chars().take(40).collect();
        assert_eq!(faults.len(), 1, "{start}: {faults:?}");
        assert!(faults[0].starts_with(expected), "{start}: {faults:?}");
        assert!(!faults[0].contains("sk-literal"), "{faults:?}");
    }
}
