//! `credentials` of kind vertex: in whose name access tokens are asked for.
//!
//! The file goes before the environment; in the environment, a token before what tokens are asked for with, and that in
//! the order of Google's own clients: GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` has
//! left, the machine's own account. Must never be here: access tokens that are given, which are keys like any other.

use super::cloud::VERTEX;
use crate::fault::At;
use crate::file::Text;
use crate::reader::Reader;
use upstream::Credential;

/// In whose name tokens are asked for, and the project that this names, if it does.
#[derive(Default)]
pub(crate) struct Account {
    pub(crate) credential: Credential,
    pub(crate) project: Option<String>,
}

/// Reads `credentials` of a provider of `kind`, which stand at `at`; `keyed` says that it has a key already. `None` where
/// no tokens are asked for: of other kinds, and where there is a key, or one in the environment. After a fault it is no
/// key at all.
pub(crate) fn account(reader: &mut Reader<'_>, at: &At, kind: &str, credentials: Text, keyed: bool) -> Option<Account> {
    if kind == VERTEX && !keyed {
        return asked_for(reader, at, credentials);
    }
    if credentials.is_absent() {
        return None;
    }
    match kind {
        VERTEX => reader.fault(at, "stands beside a key; give one of the two"),
        _ => reader.fault(at, format!("means nothing but to kind {VERTEX}")),
    }
    Some(Account::default())
}

#[cfg(not(feature = "gcp"))]
fn asked_for(reader: &mut Reader<'_>, at: &At, credentials: Text) -> Option<Account> {
    if credentials.is_absent() {
        return None;
    }
    reader.fault(at, "cannot be used: this program was built without the feature `gcp`; use api_key");
    Some(Account::default())
}

#[cfg(feature = "gcp")]
use tokens::asked_for;

#[cfg(feature = "gcp")]
mod tokens {
    use super::{Account, At, Reader, Text};
    use crate::fault::quote;
    use crate::reader::Words;
    use crate::reference;
    use crate::resolve::url;
    use std::path::Path;
    use upstream::{Credential, GoogleAccount};

    const TOKEN: &str = "GOOGLE_ACCESS_TOKEN";
    const CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";
    /// Where the metadata server is, where it is not where Google's machines have it.
    const METADATA_HOST: &str = "GCE_METADATA_HOST";
    /// What stands for the machine's own account in place of a file.
    const METADATA: &str = "metadata";

    /// In the name that the file says; else that the environment does; else in that of the machine.
    pub(super) fn asked_for(reader: &mut Reader<'_>, at: &At, credentials: Text) -> Option<Account> {
        let account = if !credentials.is_absent() {
            match reader.text(at, credentials) {
                Some(said) if said.value == METADATA => of_the_machine(reader),
                Some(said) => in_file(&said),
                None => return Some(Account::default()),
            }
        } else if reader.variable(TOKEN).is_some() {
            return None;
        } else {
            in_environment(reader, at)
        };
        match account {
            Ok(account) => Some(of(reader, at, account)),
            Err(why) => {
                reader.fault(at, why);
                Some(Account::default())
            }
        }
    }

    fn of(reader: &mut Reader<'_>, at: &At, account: GoogleAccount) -> Account {
        if !matches!(account, GoogleAccount::Machine(_)) && url::is_overheard(account.tokens()) {
            reader.warn(at, "what tokens are asked for with travels unencrypted over http:// to another host");
        }
        let project = account.project().map(str::to_owned);
        Account { credential: Credential::Google(account), project }
    }

    fn in_environment(reader: &mut Reader<'_>, at: &At) -> Result<GoogleAccount, String> {
        if let Some(value) = reader.variable(CREDENTIALS) {
            let path = Words { written: value.clone(), value };
            return in_file(&path).map_err(|why| format!("the variable {CREDENTIALS}: {why}"));
        }
        if let Some(value) = left_by_gcloud(reader) {
            return in_file(&Words { written: value.clone(), value });
        }
        if reader.variable(METADATA_HOST).is_none() {
            let why = format!(
                "is missing, and the variables {CREDENTIALS} and {TOKEN} are not set: tokens can only come from the \
                 metadata server of a machine at Google's; write `{METADATA}` where that is meant"
            );
            reader.warn(at, why);
        }
        of_the_machine(reader)
    }

    /// Where `gcloud auth application-default login` keeps what it was given, if there is something.
    fn left_by_gcloud(reader: &Reader<'_>) -> Option<String> {
        let own = reader.variable("CLOUDSDK_CONFIG");
        let usual = || Some(format!("{}/.config/gcloud", reader.variable("HOME")?));
        let path = format!("{}/application_default_credentials.json", own.or_else(usual)?);
        Path::new(&path).exists().then_some(path)
    }

    fn of_the_machine(reader: &Reader<'_>) -> Result<GoogleAccount, String> {
        let host = reader.variable(METADATA_HOST);
        let account = GoogleAccount::of_the_machine(host.as_deref().unwrap_or(GoogleAccount::METADATA_HOST));
        account.ok_or_else(|| format!("the variable {METADATA_HOST} holds no host"))
    }

    fn in_file(path: &Words) -> Result<GoogleAccount, String> {
        let json = reference::file(path)?;
        GoogleAccount::read(&json).map_err(|why| format!("the file {} {why}", quote(&path.written)))
    }
}
