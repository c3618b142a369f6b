//! What is to be run.

/// What is to be run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    /// How the names of the scenarios begin; all if there are none.
    pub(crate) names: Vec<String>,
    /// The only policy.
    pub(crate) policy: Option<String>,
    /// Whether to print what happens second by second.
    pub(crate) trace: bool,
    /// Whether to write the tables into the book.
    pub(crate) write: bool,
    /// Whether to say what can be asked for, and nothing else.
    pub(crate) help: bool,
}

const USAGE: &str =
    "arguments are the beginnings of scenarios' names, --policy NAME, --trace, --write and --help";

impl Arguments {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Self, &'static str> {
        let mut parsed = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--help" | "-h" => parsed.help = true,
                "--trace" => parsed.trace = true,
                "--write" => parsed.write = true,
                "--policy" => parsed.policy = Some(arguments.next().ok_or(USAGE)?),
                // Cargo says it to every benchmark.
                "--bench" => {}
                option if option.starts_with('-') => return Err(USAGE),
                _ => parsed.names.push(argument),
            }
        }
        if parsed.write && (!parsed.names.is_empty() || parsed.policy.is_some()) {
            return Err("--write is for all scenarios and all policies");
        }
        Ok(parsed)
    }

    pub(crate) fn chooses(&self, name: &str) -> bool {
        self.names.iter().any(|begins| name.starts_with(begins))
    }
}
