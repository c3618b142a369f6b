//! How the files of an export are compressed, and what they hash to.

use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write};

use flate2::write::GzEncoder;
use serde::Serialize;
use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder as ZstdEncoder;

use crate::sha256;

/// The level at which zstd gives about gzip's size in a fraction of its time; it is zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// How the files of an export are compressed.
///
/// Source: API reference, `ImportTable`, `InputCompressionType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Compression {
    /// By gzip.
    #[default]
    Gzip,
    /// By zstd.
    Zstd,
    /// Not at all.
    None,
}

impl Compression {
    /// What AWS calls it.
    pub const fn import_type(self) -> &'static str {
        match self {
            Self::Gzip => "GZIP",
            Self::Zstd => "ZSTD",
            Self::None => "NONE",
        }
    }

    /// How the names of files end.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Gzip => "json.gz",
            Self::Zstd => "json.zst",
            Self::None => "json",
        }
    }
}

/// A file that is compressed while it is written.
pub(super) enum Compressor {
    Gzip(GzEncoder<Hashed>),
    Zstd(ZstdEncoder<'static, Hashed>),
    None(Hashed),
}

/// A file, the bytes that went into it, and their hash so far.
pub(super) struct Hashed {
    file: BufWriter<File>,
    sha256: Sha256,
    bytes: u64,
}

/// What a file has become.
pub(super) struct Written {
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Compressor {
    pub(super) fn new(compression: Compression, file: File) -> io::Result<Self> {
        let hashed = Hashed {
            file: BufWriter::new(file),
            sha256: Sha256::new(),
            bytes: 0,
        };
        Ok(match compression {
            Compression::Gzip => Self::Gzip(GzEncoder::new(hashed, flate2::Compression::default())),
            Compression::Zstd => Self::Zstd(ZstdEncoder::new(hashed, ZSTD_LEVEL)?),
            Compression::None => Self::None(hashed),
        })
    }

    pub(super) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Zstd(encoder) => encoder.write_all(bytes),
            Self::None(hashed) => hashed.write_all(bytes),
        }
    }

    /// Ends the file, so that it stays whatever happens to the machine.
    pub(super) fn finish(self) -> io::Result<Written> {
        let mut hashed = match self {
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
            Self::None(hashed) => hashed,
        };
        hashed.file.flush()?;
        hashed.file.get_ref().sync_all()?;
        Ok(Written {
            bytes: hashed.bytes,
            sha256: sha256::hex(hashed.sha256),
        })
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Compressor(gzip)",
            Self::Zstd(_) => "Compressor(zstd)",
            Self::None(_) => "Compressor(none)",
        })
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
