//! One message of Arrow IPC, checked before anything of the size that it names is allocated.
//!
//! Source: the Arrow document *Serialization and Interprocess Communication (IPC)*, encapsulated message format.

use std::io;
use std::ops::Range;

use arrow_ipc::{Message, MessageHeader, RecordBatch, root_as_message};
use bytes::Bytes;

use crate::source::bytes::FileBytes;

const CONTINUATION: [u8; 4] = [0xff; 4];
/// Bytes that are read of a message at first, which its metadata mostly fits in.
const FIRST_READ: u64 = 4_096;

/// Why a message cannot be read.
#[derive(Debug)]
pub(super) enum Fault {
    Unreadable(io::Error),
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Unreadable(error)
    }
}

impl From<arrow_schema::ArrowError> for Fault {
    fn from(error: arrow_schema::ArrowError) -> Self {
        Self::Damaged(error.to_string())
    }
}

fn damaged(reason: impl Into<String>) -> Fault {
    Fault::Damaged(reason.into())
}

/// The metadata of a message and where its body is.
#[derive(Clone, Debug)]
pub(super) struct Encapsulated {
    metadata: Bytes,
    body: Range<u64>,
}

/// What a message holds, as far as it matters in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Schema,
    Dictionary { id: i64, is_delta: bool },
    Batch { rows: u64 },
    Nothing,
}

impl Encapsulated {
    /// The message at `at`; none at the end of the file, or where a stream says that it ends.
    pub(super) fn read(bytes: &FileBytes, at: u64) -> Result<Option<Self>, Fault> {
        let end = bytes.len();
        if at == end {
            return Ok(None);
        }
        let head = bytes.read_range(at..at.saturating_add(FIRST_READ).min(end))?;
        let word = |from: usize| {
            let word = head
                .get(from..from + 4)
                .and_then(|word| word.try_into().ok());
            word.ok_or_else(|| damaged("the file ends within it"))
        };
        // Before Arrow 0.15, the length came first.
        let prefix = if word(0)? == CONTINUATION { 8 } else { 4 };
        let len = i32::from_le_bytes(word(prefix - 4)?);
        if len == 0 {
            return Ok(None);
        }
        let prefix = u64::try_from(prefix).unwrap_or(0);
        let len = u64::try_from(len).map_err(|_| damaged(format!("its length is {len}")))?;
        let start = at + prefix;
        let metadata_end = start + len;
        if metadata_end > end {
            return Err(damaged(format!(
                "its {len} bytes of metadata reach beyond the file"
            )));
        }
        let within = usize::try_from(prefix)
            .ok()
            .zip(usize::try_from(prefix + len).ok());
        let metadata = match within.filter(|(_, to)| *to <= head.len()) {
            Some((from, to)) => head.slice(from..to),
            None => bytes.read_range(start..metadata_end)?,
        };
        let body_len = parse(&metadata)?.bodyLength();
        let body_len = u64::try_from(body_len)
            .map_err(|_| damaged(format!("its body has {body_len} bytes")))?;
        let body_end = metadata_end
            .checked_add(body_len)
            .filter(|body_end| *body_end <= end)
            .ok_or_else(|| {
                damaged(format!(
                    "its body of {body_len} bytes reaches beyond the file"
                ))
            })?;
        let message = Self {
            metadata,
            body: metadata_end..body_end,
        };
        message.content()?;
        Ok(Some(message))
    }

    /// Where the next message starts.
    pub(super) fn end(&self) -> u64 {
        self.body.end
    }

    pub(super) fn message(&self) -> Result<Message<'_>, Fault> {
        parse(&self.metadata)
    }

    /// What the message holds, if its parts lie within its body.
    pub(super) fn content(&self) -> Result<Content, Fault> {
        let message = self.message()?;
        Ok(match message.header_type() {
            MessageHeader::Schema => Content::Schema,
            MessageHeader::NONE => Content::Nothing,
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or_else(no_header)?;
                Content::Batch {
                    rows: self.check(&batch)?,
                }
            }
            MessageHeader::DictionaryBatch => {
                let dictionary = message.header_as_dictionary_batch().ok_or_else(no_header)?;
                self.check(&dictionary.data().ok_or_else(no_header)?)?;
                Content::Dictionary {
                    id: dictionary.id(),
                    is_delta: dictionary.isDelta(),
                }
            }
            other => return Err(damaged(format!("it is a {other:?}, which is not read"))),
        })
    }

    /// The rows of a batch whose counts are none that cannot be.
    fn check(&self, batch: &RecordBatch<'_>) -> Result<u64, Fault> {
        let body = self.body.end - self.body.start;
        for buffer in batch.buffers().into_iter().flatten() {
            let (offset, length) = (buffer.offset(), buffer.length());
            let end = u64::try_from(offset)
                .ok()
                .zip(u64::try_from(length).ok())
                .and_then(|(offset, length)| offset.checked_add(length));
            if end.is_none_or(|end| end > body) {
                return Err(damaged(format!(
                    "a buffer of {length} bytes at {offset} is not within its body of {body}"
                )));
            }
        }
        for node in batch.nodes().into_iter().flatten() {
            let (length, nulls) = (node.length(), node.null_count());
            if length < 0 || nulls < 0 || nulls > length {
                return Err(damaged(format!("{nulls} of {length} values are null")));
            }
        }
        for count in batch.variadicBufferCounts().into_iter().flatten() {
            let buffers = batch.buffers().map_or(0, |buffers| buffers.len());
            if usize::try_from(count).is_ok_and(|count| count <= buffers) {
                continue;
            }
            return Err(damaged(format!(
                "a column has {count} buffers of {buffers}"
            )));
        }
        let rows = batch.length();
        u64::try_from(rows).map_err(|_| damaged(format!("it has {rows} rows")))
    }

    /// The body, if it and what it decompresses to are at most `most` bytes.
    pub(super) fn read_body(&self, bytes: &FileBytes, most: u64) -> Result<Bytes, Fault> {
        let too_large = |size: u64| {
            damaged(format!(
                "it takes {size} bytes of memory at once, and may take {most}: write smaller batches, or allow more memory"
            ))
        };
        let size = self.body.end - self.body.start;
        if size > most {
            return Err(too_large(size));
        }
        let body = bytes.read_range(self.body.clone())?;
        let message = self.message()?;
        let batch = message
            .header_as_record_batch()
            .or_else(|| message.header_as_dictionary_batch()?.data());
        let Some(batch) = batch.filter(|batch| batch.compression().is_some()) else {
            return Ok(body);
        };
        let mut decompressed = 0_u64;
        for buffer in batch.buffers().into_iter().flatten() {
            decompressed = decompressed.saturating_add(declared(&body, buffer)?);
            if decompressed > most {
                return Err(too_large(decompressed));
            }
        }
        Ok(body)
    }
}

/// The bytes that a compressed buffer says it has.
fn declared(body: &[u8], buffer: &arrow_ipc::Buffer) -> Result<u64, Fault> {
    let start = usize::try_from(buffer.offset()).ok();
    let length = usize::try_from(buffer.length()).ok();
    let bytes = start
        .zip(length)
        .and_then(|(start, length)| body.get(start..start.checked_add(length)?))
        .ok_or_else(|| damaged("a buffer is not within its body"))?;
    if bytes.is_empty() {
        return Ok(0);
    }
    let (declared, compressed) = bytes
        .split_first_chunk()
        .ok_or_else(|| damaged("a compressed buffer is without its length"))?;
    match i64::from_le_bytes(*declared) {
        // It is not compressed, since that would have made it longer.
        -1 => Ok(0),
        declared => {
            let most = (compressed.len() as u64).saturating_mul(MOST_EXPANSION);
            u64::try_from(declared)
                .ok()
                .filter(|declared| *declared <= most)
                .ok_or_else(|| {
                    let len = compressed.len();
                    damaged(format!("{len} bytes cannot be {declared} decompressed"))
                })
        }
    }
}

/// No codec makes more of a byte: zstd repeats 128 KiB by four bytes.
const MOST_EXPANSION: u64 = 128 * 1024;

fn no_header() -> Fault {
    damaged("it is without its header")
}

fn parse(metadata: &[u8]) -> Result<Message<'_>, Fault> {
    root_as_message(metadata).map_err(|error| {
        let error = error.to_string();
        let reason = error.lines().next().unwrap_or_default();
        damaged(format!("its metadata is none ({reason})"))
    })
}
