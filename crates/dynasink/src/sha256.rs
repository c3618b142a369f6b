//! SHA-256 as it is written down.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The digest of what was hashed, in lower-case hexadecimal digits.
pub(crate) fn hex(hashed: Sha256) -> String {
    let digest = hashed.finalize();
    digest.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}
