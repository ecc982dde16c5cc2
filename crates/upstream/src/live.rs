//! Where a provider has Gemini's conversations in real time, and what it calls its models there.
//!
//! Neither stands below the provider's base address, which is that of one version (`.../v1beta`), and at Vertex AI of one
//! project and location besides. Must never be here: what is said in a conversation.

use crate::site::Site;
use crate::transport::beside;
use dialects::gemini::live::{self, Opened, Service};
use http::Uri;

/// What comes before a project in Vertex AI's paths and names.
const PROJECT: &str = "/projects/";

/// The address of what a client opened.
pub(crate) fn address(site: &Site, base: &Uri, opened: &Opened) -> Option<Uri> {
    let path = format!("{}{}", above(base.path()), opened.path_at(service(site)));
    beside(base, &path)
}

/// What the provider calls `model`.
pub(crate) fn name(site: &Site, base: &Uri, model: &str) -> String {
    let path = base.path().trim_end_matches('/');
    let parent = path.find(PROJECT).and_then(|at| path.get(at + 1..)).unwrap_or_default();
    live::name(service(site), parent, model)
}

fn service(site: &Site) -> Service {
    match site {
        Site::Vertex => Service::Vertex,
        Site::Plain | Site::AzureDeployments { .. } => Service::Gemini,
    }
}

/// The path of a base address without its project and its version.
fn above(path: &str) -> &str {
    let path = path.split_once(PROJECT).map_or(path, |(before, _)| before).trim_end_matches('/');
    match path.rsplit_once('/') {
        Some((before, version)) if is_version(version) => before,
        _ => path,
    }
}

/// Whether a part of a path is a version: `v1`, `v1beta1`.
fn is_version(part: &str) -> bool {
    let number = part.strip_prefix('v').unwrap_or_default();
    number.starts_with(|first: char| first.is_ascii_digit()) && number.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn talks_have_their_place_beside_the_base_address() {
        let gemini = "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent";
        let vertex = "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent";
        let opened = live::opened(gemini).expect("a path");
        for (site, base, place, path, name) in [
            (Site::Plain, "https://g.test/v1beta", "https://g.test", gemini, "models/m"),
            (Site::Plain, "https://g.test/v1beta/", "https://g.test", gemini, "models/m"),
            (Site::Plain, "http://g.test:1", "http://g.test:1", gemini, "models/m"),
            (Site::Plain, "http://g.test/vertices", "http://g.test/vertices", gemini, "models/m"),
            (Site::Plain, "http://g.test/a/v1", "http://g.test/a", gemini, "models/m"),
            (
                Site::Vertex,
                "https://g.test/v1/projects/p/locations/l",
                "https://g.test",
                vertex,
                "projects/p/locations/l/publishers/google/models/m",
            ),
            (Site::Vertex, "https://g.test/v1", "https://g.test", vertex, "publishers/google/models/m"),
        ] {
            let base: Uri = base.parse().expect("an address");
            assert_eq!(address(&site, &base, &opened), format!("{place}{path}").parse().ok(), "{base}");
            assert_eq!(super::name(&site, &base, "m"), name, "{base}");
        }
    }
}
