//! The words that a mapping says things with, each an enum whose variants know theirs.

use std::fmt;

use serde::Serialize;

/// One of a few words.
pub(crate) trait Word: Copy + 'static {
    /// All of them.
    const ALL: &'static [Self];

    /// As it is written.
    fn word(self) -> &'static str;
}

macro_rules! words {
    ($(#[$meta:meta])* pub enum $name:ident { $($(#[$variant_meta:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_meta])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// As it is written in a file.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant,)+];

            fn word(self) -> &'static str {
                self.word()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

/// Methods that set a field and give the whole back.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) => $($field:ident).+ = $set:expr;)+) => {
        $(
            $(#[$doc])*
            #[must_use]
            pub fn $name(mut self, $value: $type) -> Self {
                self.$($field).+ = $set;
                self
            }
        )+
    };
}

/// The setters of the policies, in `self.policies`.
macro_rules! policy_setters {
    () => {
        setters! {
            /// What nulls become.
            nulls(nulls: Nulls) => policies.nulls = Some(nulls);
            /// What NaN and infinities become.
            nonfinite(nonfinite: Nonfinite) => policies.nonfinite = Some(nonfinite);
            /// What numbers become that DynamoDB cannot hold exactly.
            number_overflow(overflow: NumberOverflow) => policies.number_overflow = Some(overflow);
            /// What dates and timestamps become that ISO 8601 has no four digits for.
            temporal_overflow(overflow: TemporalOverflow) => policies.temporal_overflow = Some(overflow);
            /// What empty strings and empty binary become.
            empty_string(empty: EmptyString) => policies.empty_string = Some(empty);
        }
    };
}

pub(super) use {policy_setters, setters, words};

words! {
    /// What values become: a type of DynamoDB, or one of the forms in which a type can be written.
    pub enum EncodeAs {
        /// String: text as it is, all else by its canonical text; decimals with all digits of their scale.
        S = "S",
        /// Number: numbers as they are, strings if they are one, booleans as 0 and 1.
        N = "N",
        /// Binary: bytes as they are, strings by their UTF-8.
        B = "B",
        /// Boolean: strings `true` and `false`, numbers 0 and 1.
        Bool = "BOOL",
        /// String set, of a list or of a string with a `separator`.
        Ss = "SS",
        /// Number set, of a list.
        Ns = "NS",
        /// Binary set, of a list.
        Bs = "BS",
        /// List.
        L = "L",
        /// Map.
        M = "M",
        /// NULL, whatever the value is.
        Null = "NULL",
        /// A set of whatever the elements of a list are.
        Set = "set",
        /// ISO 8601, as a string.
        Iso = "iso",
        /// An integer of seconds since 1970 as a timestamp in ISO 8601, in UTC with `Z`.
        IsoOfEpochS = "iso_of_epoch_s",
        /// An integer of milliseconds since 1970 as a timestamp in ISO 8601, with three digits of a second.
        IsoOfEpochMs = "iso_of_epoch_ms",
        /// An integer of microseconds since 1970 as a timestamp in ISO 8601, with six digits of a second.
        IsoOfEpochUs = "iso_of_epoch_us",
        /// An integer of nanoseconds since 1970 as a timestamp in ISO 8601, with nine digits of a second.
        IsoOfEpochNs = "iso_of_epoch_ns",
        /// A timestamp in ISO 8601 with the offset that its own zone has there.
        Zoned = "zoned",
        /// Seconds since 1970 as a number. A fraction is dropped towards the past, since this word asks for seconds.
        EpochS = "epoch_s",
        /// Seconds since 1970 as a number, with the fraction.
        EpochSFraction = "epoch_s_fraction",
        /// Milliseconds since 1970 as a number; finer timestamps must be whole ones.
        EpochMs = "epoch_ms",
        /// Microseconds since 1970 as a number; finer timestamps must be whole ones.
        EpochUs = "epoch_us",
        /// Nanoseconds since 1970 as a number.
        EpochNs = "epoch_ns",
        /// Days since 1970 as a number.
        EpochDays = "epoch_days",
        /// A date as the number 20130131.
        Yyyymmdd = "yyyymmdd",
        /// A duration or a time of day as a number of seconds, with the fraction.
        Seconds = "seconds",
        /// The integer that a time, duration or timestamp is stored as.
        Raw = "raw",
        /// A decimal's digits as an integer, without its point.
        Scaled = "scaled",
        /// A float in 32 or 16 bits by the shortest text of the same float in 64 bits, rather than in its own.
        F64 = "f64",
        /// A number rounded half to even to `scale` digits behind the point.
        Decimal = "decimal",
        /// 16 bytes as a UUID, a string.
        Uuid = "uuid",
        /// Bytes as a string of hexadecimal digits.
        Hex = "hex",
        /// Bytes as a string in base64.
        Base64 = "base64",
        /// A string of hexadecimal digits as binary.
        FromHex = "from_hex",
        /// A string in base64 as binary.
        FromBase64 = "from_base64",
        /// Any value as JSON text.
        Json = "json",
        /// A JSON text as what it says: maps, lists, strings, numbers, booleans and nulls.
        Document = "document",
        /// A text of DynamoDB JSON, such as `{"S":"a"}`, as what it says.
        DynamodbJson = "dynamodb_json",
        /// A list of floats of a fixed length as binary, each in little-endian order.
        Packed = "packed",
        /// A map as a list of maps with `key` and `value`.
        Entries = "entries",
        /// A union's value in a map, under the name of its type.
        Tagged = "tagged",
    }
}

words! {
    /// Whether columns that the mapping does not name become attributes.
    #[derive(Default)]
    pub enum Unnamed {
        /// They do, under their own names.
        #[default]
        Keep = "keep",
        /// They are left out.
        Drop = "drop",
    }
}

words! {
    /// Nulls of columns and of struct fields. In lists and as values of maps they are always NULL, and a key
    /// of an index is always omitted.
    #[derive(Default)]
    pub enum Nulls {
        /// There is no attribute.
        #[default]
        Omit = "omit",
        /// The attribute is NULL.
        Null = "null",
    }
}

words! {
    /// NaN and infinities, which DynamoDB has no numbers for.
    #[derive(Default)]
    pub enum Nonfinite {
        /// They reject the row.
        #[default]
        Error = "error",
        /// NULL.
        Null = "null",
        /// As a null: by `nulls`.
        Omit = "omit",
        /// The strings `NaN`, `Infinity` and `-Infinity`.
        String = "string",
    }
}

words! {
    /// Numbers that DynamoDB cannot hold exactly.
    #[derive(Default)]
    pub enum NumberOverflow {
        /// They reject the row.
        #[default]
        Error = "error",
        /// Their text, as a string.
        String = "string",
        /// Rounded half to even to 38 digits; what is out of range still rejects the row.
        Round = "round",
        /// As [`Round`](Self::Round), and what is nearer to zero than 1E-130 is zero; what is too large still
        /// rejects the row.
        Zero = "zero",
    }
}

words! {
    /// Dates and timestamps outside of the years 0000 to 9999.
    #[derive(Default)]
    pub enum TemporalOverflow {
        /// They reject the row.
        #[default]
        Error = "error",
        /// NULL.
        Null = "null",
        /// The integer that is stored, as a number.
        Raw = "raw",
    }
}

words! {
    /// Empty strings and empty binary, where they are no key.
    #[derive(Default)]
    pub enum EmptyString {
        /// They stay empty.
        #[default]
        Keep = "keep",
        /// There is no attribute; in lists and maps NULL.
        Omit = "omit",
        /// NULL.
        Null = "null",
    }
}

words! {
    /// How dates and timestamps are written.
    #[derive(Default)]
    pub enum Timestamps {
        /// ISO 8601, as strings.
        #[default]
        Iso = "iso",
        /// As [`EncodeAs::EpochS`].
        EpochS = "epoch_s",
        /// As [`EncodeAs::EpochMs`].
        EpochMs = "epoch_ms",
        /// As [`EncodeAs::EpochUs`].
        EpochUs = "epoch_us",
        /// As [`EncodeAs::EpochNs`].
        EpochNs = "epoch_ns",
    }
}

words! {
    /// What lists become.
    #[derive(Default)]
    pub enum Lists {
        /// L.
        #[default]
        List = "list",
        /// SS, NS or BS; an empty list is omitted and a null element rejects the row.
        Set = "set",
    }
}

words! {
    /// What columns of JSON texts become.
    #[derive(Default)]
    pub enum Json {
        /// The text, as a string.
        #[default]
        String = "string",
        /// As [`EncodeAs::Document`].
        Native = "native",
    }
}

words! {
    /// What columns become whose Arrow extension is not known.
    #[derive(Default)]
    pub enum UnknownExtension {
        /// What they are stored as, with a warning.
        #[default]
        Storage = "storage",
        /// They are refused, unless `as` says what they become.
        Error = "error",
    }
}

words! {
    /// Whether binary columns without a logical type are text, as old writers of Parquet leave them.
    #[derive(Default)]
    pub enum BinaryAsString {
        /// Binary, always.
        #[default]
        Never = "never",
        /// Strings; a value that is not UTF-8 rejects its row.
        Always = "always",
    }
}
