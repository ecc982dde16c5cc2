//! Every field of a file has a finding that is about it, whatever stands in it.

use crate::whole::{CLOUDS, PLATFORM, SMALL_TEAM};
use serde_json::{Value, json};

/// A value, the key or the place of each on the way to it.
type Path = Vec<Step>;

#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Place(usize),
}

/// Paths to all that says something: neither null nor an empty list or mapping.
fn leaves(value: &Value, path: &Path, found: &mut Vec<Path>) {
    let below = |step: Step| path.iter().cloned().chain([step]).collect::<Path>();
    match value {
        Value::Null => {}
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| leaves(value, &below(Step::Key(key.clone())), found));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(place, value)| leaves(value, &below(Step::Place(place)), found));
        }
        _ => found.push(path.clone()),
    }
}

fn shown(path: &Path) -> String {
    let step = |text: String, step: &Step| match step {
        Step::Key(key) if text.is_empty() => key.clone(),
        Step::Key(key) => format!("{text}.{key}"),
        Step::Place(place) => format!("{text}[{place}]"),
    };
    path.iter().fold(String::new(), step)
}

/// The widest place whose finding is still about this field: in an entry each parameter, in settings each of them.
fn widest(path: &Path) -> String {
    let in_entry = matches!(path.first(), Some(Step::Key(key)) if key == "model_list");
    let nested =
        |step: Option<&Step>| matches!(step, Some(Step::Key(key)) if key == "litellm_params" || key == "model_info");
    let settings = matches!(path.first(), Some(Step::Key(key)) if key.ends_with("_settings"));
    let depth = match (in_entry, nested(path.get(2)), settings) {
        (true, true, _) => 4,
        (true, false, _) => 3,
        (_, _, true) if matches!(path.get(1), Some(Step::Key(_))) => 2,
        _ => 1,
    };
    shown(&path.iter().take(depth).cloned().collect())
}

/// What no finding of `file` is about; nothing where the file is refused as a whole.
fn untold(file: &Value) -> Vec<String> {
    let Ok(import) = import::litellm(&file.to_string()) else { return Vec::new() };
    let mut all = Vec::new();
    leaves(file, &Path::new(), &mut all);
    let told = |path: &&Path| {
        let (exactly, widest) = (shown(path), widest(path));
        let about = |from: &str| {
            let rest = exactly.strip_prefix(from);
            from.starts_with(&widest) && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        import.findings.iter().any(|finding| about(&finding.from))
    };
    all.iter().filter(|path| !told(path)).map(shown).collect()
}

fn at<'a>(file: &'a mut Value, path: &[Step]) -> &'a mut Value {
    path.iter().fold(file, |value, step| match step {
        Step::Key(key) => &mut value[key.as_str()],
        Step::Place(place) => &mut value[*place],
    })
}

fn files() -> impl Iterator<Item = Value> {
    [SMALL_TEAM, PLATFORM, CLOUDS].into_iter().map(|text| serde_saphyr::from_str(text).unwrap())
}

#[test]
fn every_field_is_told_of() {
    for file in files() {
        assert!(import::litellm(&file.to_string()).is_ok());
        assert_eq!(untold(&file), Vec::<String>::new());
    }
}

#[test]
fn whatever_a_field_holds_it_is_told_of() {
    for file in files() {
        let mut all = Vec::new();
        leaves(&file, &Path::new(), &mut all);
        for path in all {
            for odd in [json!(true), json!(-1), json!("odd"), json!(""), json!([1]), json!({ "a": 1 })] {
                let mut file = file.clone();
                *at(&mut file, &path) = odd.clone();
                assert_eq!(untold(&file), Vec::<String>::new(), "{}: {odd}", shown(&path));
            }
        }
    }
}

#[test]
fn whatever_an_entry_lacks_the_rest_is_told_of() {
    for file in files() {
        for place in 0..file["model_list"].as_array().unwrap().len() {
            for lacking in ["model_name", "litellm_params", "model"] {
                let mut file = file.clone();
                let entry = &mut file["model_list"][place];
                entry.as_object_mut().unwrap().remove(lacking);
                if let Some(params) = entry["litellm_params"].as_object_mut() {
                    params.remove(lacking);
                }
                assert_eq!(untold(&file), Vec::<String>::new(), "{place}: {lacking}");
            }
        }
    }
}
