//! Clouds: providers whose address is made of a region or a project.

use crate::fault::{At, quote};
use crate::file;
use crate::reader::Reader;
use http::Uri;
use upstream::{Preset, Site};

pub(crate) const BEDROCK: &str = "bedrock";
pub(crate) const VERTEX: &str = "vertex";

/// Where clouds' models are: what the file says, or the variables that their own tools read.
pub(crate) struct Whereabouts {
    /// Of `bedrock`.
    pub(crate) region: Option<String>,
    /// Of `vertex`.
    pub(crate) project: Option<String>,
    pub(crate) location: Option<String>,
}

/// Reads `project` and `location`, which mean nothing to other kinds. A project that nobody says is the one that
/// credentials name.
pub(crate) fn whereabouts(
    reader: &mut Reader<'_>,
    at: &At,
    preset: &Preset,
    region: Option<&str>,
    (project, named): (file::Text, Option<&str>),
    location: file::Text,
) -> Whereabouts {
    let vertex = preset.kind == VERTEX;
    let mut part = |key: &str, text: file::Text, variable: &str, named: Option<&str>| {
        let at = at.key(key);
        if !vertex && !text.is_absent() {
            reader.fault(&at, format!("means nothing but to kind {VERTEX}"));
            return None;
        }
        let said = reader.text(&at, text).map(|words| words.value);
        let said = said.or_else(|| vertex.then(|| reader.variable(variable)).flatten());
        let said = said.or_else(|| named.map(str::to_owned));
        if said.as_ref().is_some_and(|said| !is_plain(said)) {
            let said = said.unwrap_or_default();
            reader.fault(&at, format!("{} may hold letters, digits, `-` and `:` only", quote(&said)));
            return None;
        }
        said
    };
    let project = part("project", project, "GOOGLE_CLOUD_PROJECT", named);
    let location = part("location", location, "GOOGLE_CLOUD_LOCATION", None);
    let named = || ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|name| reader.variable(name));
    let region = region.map(str::to_owned).or_else(|| (preset.kind == BEDROCK).then(named).flatten());
    Whereabouts { region: region.filter(|region| is_plain(region)), project, location }
}

/// The address of a cloud's models; `None` for kinds that are no clouds, or where something is missing, saying so.
pub(crate) fn address(reader: &mut Reader<'_>, at: &At, preset: &Preset, whereabouts: &Whereabouts) -> Option<Uri> {
    let Whereabouts { region, project, location } = whereabouts;
    let text = match (preset.kind, region, project) {
        (BEDROCK, Some(region), _) => format!("https://bedrock-runtime.{region}.amazonaws.com"),
        (BEDROCK, None, _) => {
            reader.fault(&at.key("region"), "is missing; set it, or the variable AWS_REGION");
            return None;
        }
        (VERTEX, _, Some(project)) => {
            let location = location.as_deref().unwrap_or("global");
            let host = match location {
                "global" => "aiplatform.googleapis.com".to_owned(),
                // Of several regions together (Google's clients for Python and Node, November 2026).
                "eu" | "us" => format!("aiplatform.{location}.rep.googleapis.com"),
                region => format!("{region}-aiplatform.googleapis.com"),
            };
            format!("https://{host}/v1/projects/{project}/locations/{location}")
        }
        (VERTEX, _, None) => {
            reader.fault(&at.key("project"), "is missing; set it, or the variable GOOGLE_CLOUD_PROJECT");
            return None;
        }
        _ => {
            let why = format!("is missing: kind {} has no address of its own", preset.kind);
            reader.fault(&at.key("base_url"), why);
            return None;
        }
    };
    text.parse().ok()
}

/// How a cloud lays out its API.
pub(crate) fn site(preset: &Preset) -> Option<Site> {
    (preset.kind == VERTEX).then_some(Site::Vertex)
}

/// Whether a text can stand in an address: `us-east-1`, `my-project`, `example.com:my-project`.
fn is_plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte))
}
