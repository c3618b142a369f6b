//! What becomes of columns: `dynasink mapping`, and the file that a load is given.

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use dynasink::{FileSource, Mapping, MappingFile, TableSchema, describe_table};

use crate::args::MappingArgs;
use crate::failure::{ALL_WRITTEN, Failure};
use crate::output::print;
use crate::target;

/// `dynasink mapping`.
pub(crate) async fn run(args: &MappingArgs) -> Result<ExitCode, Failure> {
    let source = args.source.open().await?;
    let table = match &args.table {
        None => None,
        Some(name) => {
            let client = target::connect(&args.target).await?;
            let described = describe_table(&client, name).await;
            Some(described.map_err(|error| Failure::refused(&error))?)
        }
    };
    let outline = Mapping::outline(source.schema(), table.as_ref());
    print(|out| out.write_all(outline.as_bytes()))?;
    Ok(ALL_WRITTEN.into())
}

/// The mapping in `path`.
pub(crate) fn read(path: &Path) -> Result<MappingFile, Failure> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::refused_because(format!("{name}: cannot read the mapping: {error}"))
    })?;
    MappingFile::parse(&name, &text).map_err(|error| Failure::refused(&error))
}

/// The mapping of `source` to `table`, by `file` if there is one.
pub(crate) fn of(
    source: &FileSource,
    table: &TableSchema,
    file: Option<&MappingFile>,
) -> Result<Mapping, Failure> {
    let mapping = match file {
        Some(file) => file.mapping(source.schema(), table),
        None => Mapping::infer(source.schema(), table),
    };
    mapping.map_err(|error| Failure::refused(&error))
}
