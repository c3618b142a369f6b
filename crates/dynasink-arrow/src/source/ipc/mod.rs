//! Arrow IPC, files and streams: one record batch after the other.
//!
//! The messages are walked over when a file is opened, which reads their metadata and none of their values. A
//! length that the file cannot have is told then, and nothing of such a length is ever allocated.

mod message;

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Endianness, root_as_footer};
use arrow_schema::{Schema, SchemaRef};

use super::bytes::FileBytes;
use super::footer::caught;
use super::format::Format;
use crate::error::{Error, Result};
use message::{Content, Encapsulated, Fault};

const FILE_MAGIC: &[u8; 6] = b"ARROW1";
/// The magic and what aligns the first message.
const FILE_HEAD: u64 = 8;
/// The length of the footer and the magic.
const FILE_TAIL: u64 = 10;

/// A file of Arrow IPC. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct IpcSource {
    bytes: FileBytes,
    schema: SchemaRef,
    /// In the order in which they are decoded.
    messages: Arc<[Place]>,
    rows: u64,
    batches: usize,
}

/// Where a message starts, and what it is.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: u64,
    len: u64,
    content: Content,
}

/// A record batch, whole.
#[derive(Clone, Debug)]
pub(super) struct IpcBatch {
    /// From zero, in place of the row group.
    pub(super) index: usize,
    pub(super) batch: RecordBatch,
}

impl IpcSource {
    /// Walks over the messages of a file of either format.
    pub(super) fn open(bytes: FileBytes, format: Format) -> Result<Self> {
        let name = Arc::clone(bytes.name());
        let walk = || match format {
            Format::IpcStream => Walk::of(&bytes).stream(),
            _ => Walk::of(&bytes).file(),
        };
        let (schema, messages) = caught(&name, walk)??;
        let rows = messages
            .iter()
            .fold(0_u64, |rows, place| match place.content {
                Content::Batch { rows: more } => rows.saturating_add(more),
                _ => rows,
            });
        let is_batch = |place: &&Place| matches!(place.content, Content::Batch { .. });
        Ok(Self {
            schema,
            rows,
            batches: messages.iter().filter(is_batch).count(),
            messages: messages.into(),
            bytes,
        })
    }

    pub(super) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Bytes of its largest message, which are read at once.
    pub(super) fn largest_message(&self) -> u64 {
        self.messages
            .iter()
            .map(|place| place.len)
            .max()
            .unwrap_or(0)
    }

    /// Bytes that what is known of it takes in memory.
    pub(super) fn memory(&self) -> u64 {
        u64::try_from(size_of_val(&*self.messages)).unwrap_or(u64::MAX)
    }

    /// How many record batches there are.
    pub(super) fn batches(&self) -> usize {
        self.batches
    }

    /// The rows of each record batch.
    pub(super) fn rows_by_batch(&self) -> impl Iterator<Item = u64> {
        self.messages
            .iter()
            .filter_map(|place| match place.content {
                Content::Batch { rows } => Some(rows),
                _ => None,
            })
    }

    /// The schema, and where each message is: what tells a file from another without its values.
    pub(super) fn outline(&self) -> String {
        let start = format!("{:?}", self.schema.fields());
        self.messages.iter().fold(start, |mut outline, place| {
            // Writing to a string cannot fail.
            let _infallible = write!(outline, "\n{} {} {:?}", place.at, place.len, place.content);
            outline
        })
    }

    /// The record batches that `is_wanted` has, by their numbers, in order, with the columns of `projection`, if given,
    /// in its order.
    ///
    /// A batch is decoded as a whole, and is an error if it takes more than `most_bytes`. Those that nobody wants are
    /// passed over unread.
    pub(super) fn read<W: Fn(usize) -> bool>(
        &self,
        projection: Option<Vec<usize>>,
        most_bytes: u64,
        is_wanted: W,
    ) -> IpcBatches<W> {
        IpcBatches {
            source: self.clone(),
            projection,
            most_bytes,
            is_wanted,
            dictionaries: HashMap::new(),
            next: 0,
            batch: 0,
        }
    }
}

fn wrong(bytes: &FileBytes, part: impl Into<String>, fault: Fault) -> Error {
    let file = bytes.name().to_string();
    match fault {
        Fault::Unreadable(source) => {
            let known = bytes.take_failure();
            known.unwrap_or(Error::OpenFile { file, source })
        }
        Fault::Damaged(reason) => Error::Ipc {
            file,
            part: part.into(),
            reason,
        },
    }
}

/// The walk over the messages of a file.
struct Walk<'a> {
    bytes: &'a FileBytes,
    messages: Vec<Place>,
    batches: usize,
    dictionaries: HashSet<i64>,
}

impl<'a> Walk<'a> {
    fn of(bytes: &'a FileBytes) -> Self {
        Self {
            bytes,
            messages: Vec::new(),
            batches: 0,
            dictionaries: HashSet::new(),
        }
    }

    fn wrong(&self, part: impl Into<String>, reason: impl Into<String>) -> Error {
        wrong(self.bytes, part, Fault::Damaged(reason.into()))
    }

    fn part(&self) -> String {
        format!("the message after {} record batches", self.batches)
    }

    fn message(&self, at: u64) -> Result<Option<Encapsulated>> {
        Encapsulated::read(self.bytes, at).map_err(|fault| wrong(self.bytes, self.part(), fault))
    }

    fn note(&mut self, at: u64, message: &Encapsulated) -> Result<Content> {
        let content = message
            .content()
            .map_err(|fault| wrong(self.bytes, self.part(), fault))?;
        if matches!(content, Content::Batch { .. }) {
            self.batches += 1;
        }
        if content != Content::Nothing {
            let len = message.end().saturating_sub(at);
            self.messages.push(Place { at, len, content });
        }
        Ok(content)
    }

    fn schema(&self, schema: arrow_ipc::Schema<'_>) -> Result<SchemaRef> {
        // The reader does not look at it in a stream, and would read other numbers.
        let is_ours = match schema.endianness() {
            Endianness::Little => cfg!(target_endian = "little"),
            Endianness::Big => cfg!(target_endian = "big"),
            _ => false,
        };
        if !is_ours {
            return Err(self.wrong("the schema", "it is of the other byte order"));
        }
        let schema: Schema = fb_to_schema(schema);
        Ok(Arc::new(schema))
    }

    fn stream(mut self) -> Result<(SchemaRef, Vec<Place>)> {
        let first = self.message(0)?;
        let first = first.ok_or_else(|| self.wrong("the schema", "the stream is empty"))?;
        let message = first
            .message()
            .map_err(|fault| wrong(self.bytes, "the schema", fault))?;
        let schema = message
            .header_as_schema()
            .ok_or_else(|| self.wrong("the schema", "the stream starts with something else"))?;
        let schema = self.schema(schema)?;
        let mut at = first.end();
        while let Some(message) = self.message(at)? {
            if self.note(at, &message)? == Content::Schema {
                return Err(self.wrong(self.part(), "it is a second schema"));
            }
            at = message.end();
        }
        // The end is said by a message without metadata, in eight bytes or, long ago, in four.
        if self.bytes.len() - at > 8 {
            let more = self.bytes.len() - at;
            return Err(self.wrong(
                "the end of the stream",
                format!("{more} bytes follow it, such as another stream, which must be a file of its own"),
            ));
        }
        Ok((schema, self.messages))
    }

    fn file(mut self) -> Result<(SchemaRef, Vec<Place>)> {
        let len = self.bytes.len();
        let truncated = || Error::TruncatedFile {
            file: self.bytes.name().to_string(),
        };
        let tail = len
            .checked_sub(FILE_TAIL)
            .filter(|start| *start >= FILE_HEAD)
            .ok_or_else(truncated)?;
        let io = |fault| wrong(self.bytes, "the footer", Fault::Unreadable(fault));
        let end = self.bytes.read_range(tail..len).map_err(io)?;
        let footer_len = match end.split_first_chunk() {
            Some((footer_len, magic)) if magic == FILE_MAGIC => i32::from_le_bytes(*footer_len),
            _ => return Err(truncated()),
        };
        let start = u64::try_from(footer_len)
            .ok()
            .and_then(|footer_len| tail.checked_sub(footer_len))
            .filter(|start| *start >= FILE_HEAD);
        let start = start.ok_or_else(|| {
            self.wrong(
                "the footer",
                format!("{footer_len} bytes are not within the file"),
            )
        })?;
        let footer = self.bytes.read_range(start..tail).map_err(io)?;
        let footer = root_as_footer(&footer).map_err(|error| {
            self.wrong(
                "the footer",
                error.to_string().lines().next().unwrap_or_default(),
            )
        })?;
        let schema = footer
            .schema()
            .ok_or_else(|| self.wrong("the footer", "it is without a schema"))?;
        let schema = self.schema(schema)?;
        for block in footer.dictionaries().into_iter().flatten() {
            let content = self.block(block.offset())?;
            let Content::Dictionary { id, is_delta } = content else {
                return Err(self.wrong("the footer", "a dictionary is none"));
            };
            // All dictionaries are read before the batches, so that one would have the values of another.
            if !self.dictionaries.insert(id) && !is_delta {
                return Err(self.wrong("the footer", format!("dictionary {id} is there twice")));
            }
        }
        for block in footer.recordBatches().into_iter().flatten() {
            if !matches!(self.block(block.offset())?, Content::Batch { .. }) {
                return Err(self.wrong("the footer", "a record batch is none"));
            }
        }
        Ok((schema, self.messages))
    }

    fn block(&mut self, offset: i64) -> Result<Content> {
        let at = u64::try_from(offset)
            .ok()
            .filter(|at| *at <= self.bytes.len())
            .ok_or_else(|| self.wrong("the footer", format!("a block is at {offset}")))?;
        let message = self.message(at)?;
        let message = message.ok_or_else(|| self.wrong("the footer", "a block is empty"))?;
        self.note(at, &message)
    }
}

/// The record batches of a file, one after the other. Ends with the first error.
#[derive(Debug)]
pub(super) struct IpcBatches<W> {
    source: IpcSource,
    projection: Option<Vec<usize>>,
    most_bytes: u64,
    is_wanted: W,
    dictionaries: HashMap<i64, ArrayRef>,
    next: usize,
    batch: usize,
}

impl<W: Fn(usize) -> bool> IpcBatches<W> {
    fn read(&mut self) -> Result<Option<IpcBatch>> {
        while let Some(place) = self.source.messages.get(self.next).copied() {
            self.next += 1;
            let part = match place.content {
                Content::Batch { .. } if !(self.is_wanted)(self.batch) => {
                    self.batch += 1;
                    continue;
                }
                Content::Batch { .. } => format!("record batch {}", self.batch),
                Content::Dictionary { id, .. } => format!("dictionary {id}"),
                Content::Schema | Content::Nothing => continue,
            };
            let bytes = self.source.bytes.clone();
            let decoded = caught(bytes.name(), || self.decode(place))?;
            if let Some(batch) = decoded.map_err(|fault| wrong(&bytes, part, fault))? {
                let index = self.batch;
                self.batch += 1;
                return Ok(Some(IpcBatch { index, batch }));
            }
        }
        Ok(None)
    }

    fn decode(&mut self, place: Place) -> Result<Option<RecordBatch>, Fault> {
        let bytes = &self.source.bytes;
        let schema = &self.source.schema;
        let changed = || Fault::Damaged("the file has changed since it was opened".to_owned());
        let encapsulated = Encapsulated::read(bytes, place.at)?.ok_or_else(changed)?;
        if encapsulated.content()? != place.content {
            return Err(changed());
        }
        let body = Buffer::from(encapsulated.read_body(bytes, self.most_bytes)?);
        let message = encapsulated.message()?;
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            let known = &mut self.dictionaries;
            read_dictionary(&body, dictionary, schema, known, &message.version())?;
            return Ok(None);
        }
        let batch = message.header_as_record_batch().ok_or_else(changed)?;
        let batch = read_record_batch(
            &body,
            batch,
            Arc::clone(schema),
            &self.dictionaries,
            self.projection.as_deref(),
            &message.version(),
        )?;
        Ok(Some(batch))
    }
}

impl<W: Fn(usize) -> bool> Iterator for IpcBatches<W> {
    type Item = Result<IpcBatch>;

    fn next(&mut self) -> Option<Self::Item> {
        let read = self.read().transpose();
        if matches!(read, Some(Err(_))) {
            self.next = usize::MAX;
        }
        read
    }
}
