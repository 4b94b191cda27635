//! TLSA records in the state document: `3 1 1 8bd1…`, as everywhere. What does
//! not read back as a record is an error, never left out.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

use crate::tlsa::{Matching, Params, Selector, Tlsa, TlsaError, Usage, unhex};

/// Writes records.
///
/// # Errors
///
/// What the serializer says.
pub(crate) fn serialize<S: Serializer>(records: &[Tlsa], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(records.iter().map(Tlsa::to_string))
}

/// Reads records.
///
/// # Errors
///
/// A text that is no record.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<Tlsa>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts
        .iter()
        .map(|text| record(text).map_err(D::Error::custom))
        .collect()
}

fn record(text: &str) -> Result<Tlsa, TlsaError> {
    let wrong = || TlsaError::Parameter {
        found: text.to_owned(),
    };
    let mut words = text.splitn(4, ' ');
    let mut word = || words.next().ok_or_else(wrong);
    let usage: Usage = word()?.parse()?;
    let selector: Selector = word()?.parse()?;
    let matching: Matching = word()?.parse()?;
    Ok(Tlsa {
        params: Params {
            usage,
            selector,
            matching,
        },
        data: unhex(word()?)?,
    })
}
