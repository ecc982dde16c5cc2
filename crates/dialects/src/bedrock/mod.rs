//! Amazon Bedrock's Converse and ConverseStream, of providers alone: no client speaks it.
//!
//! Wire facts: the service model `bedrock-runtime` 2023-09-30 as botocore 1.44.5 carries it, and recorded answers. An
//! event is written here as recordings and the service model have it: `{"contentBlockDelta":{...}}`, its type around its
//! payload.

mod answer;
mod error;
mod event;
mod frames;
mod path;
mod prompt;
mod seen;
mod stop;
mod stream;
mod usage;
mod whole;

pub use crate::{Ending, Unread};
pub use answer::Reader;
pub use error::{read_error, read_named_error};
pub use path::{count_path, path};
pub use prompt::write_prompt;
pub use stream::StreamDecoder;
pub use whole::read_whole;
