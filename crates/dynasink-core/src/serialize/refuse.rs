//! Serializers that take some kinds of values and refuse the others, each by its name.

/// Implements the named methods of a `Serializer` as `$refuse` of what the value is.
macro_rules! refuse {
    ($refuse:path => $($method:ident)*) => {
        $(refuse!(@ $refuse, $method);)*
    };
    (@ $refuse:path, bool) => { refuse!(@scalar $refuse, serialize_bool, bool, "a bool"); };
    (@ $refuse:path, integers) => {
        refuse!(@scalar $refuse, serialize_i8, i8, "an integer");
        refuse!(@scalar $refuse, serialize_i16, i16, "an integer");
        refuse!(@scalar $refuse, serialize_i32, i32, "an integer");
        refuse!(@scalar $refuse, serialize_i64, i64, "an integer");
        refuse!(@scalar $refuse, serialize_i128, i128, "an integer");
        refuse!(@scalar $refuse, serialize_u8, u8, "an integer");
        refuse!(@scalar $refuse, serialize_u16, u16, "an integer");
        refuse!(@scalar $refuse, serialize_u32, u32, "an integer");
        refuse!(@scalar $refuse, serialize_u64, u64, "an integer");
        refuse!(@scalar $refuse, serialize_u128, u128, "an integer");
    };
    (@ $refuse:path, floats) => {
        refuse!(@scalar $refuse, serialize_f32, f32, "a float");
        refuse!(@scalar $refuse, serialize_f64, f64, "a float");
    };
    (@ $refuse:path, strings) => {
        refuse!(@scalar $refuse, serialize_char, char, "a char");
        refuse!(@scalar $refuse, serialize_str, &str, "a string");
    };
    (@ $refuse:path, bytes) => { refuse!(@scalar $refuse, serialize_bytes, &[u8], "a binary"); };
    (@ $refuse:path, unit) => {
        fn serialize_none(self) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse("none")
        }

        fn serialize_unit(self) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse("a unit")
        }

        fn serialize_unit_struct(self, _: &'static str) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse("a unit struct")
        }
    };
    (@ $refuse:path, unit_variant) => {
        fn serialize_unit_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse("an enum")
        }
    };
    (@ $refuse:path, variants) => {
        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse("an enum with a value")
        }

        fn serialize_tuple_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> std::result::Result<Self::SerializeTupleVariant, Self::Error> {
            $refuse("an enum with a value")
        }

        fn serialize_struct_variant(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: usize,
        ) -> std::result::Result<Self::SerializeStructVariant, Self::Error> {
            $refuse("an enum with a value")
        }
    };
    (@ $refuse:path, sequences) => {
        fn serialize_seq(self, _: Option<usize>) -> std::result::Result<Self::SerializeSeq, Self::Error> {
            $refuse("a sequence")
        }

        fn serialize_tuple(self, _: usize) -> std::result::Result<Self::SerializeTuple, Self::Error> {
            $refuse("a tuple")
        }

        fn serialize_tuple_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> std::result::Result<Self::SerializeTupleStruct, Self::Error> {
            $refuse("a tuple")
        }
    };
    (@ $refuse:path, maps) => {
        fn serialize_map(self, _: Option<usize>) -> std::result::Result<Self::SerializeMap, Self::Error> {
            $refuse("a map")
        }

        fn serialize_struct(
            self,
            _: &'static str,
            _: usize,
        ) -> std::result::Result<Self::SerializeStruct, Self::Error> {
            $refuse("a struct")
        }
    };
    (@scalar $refuse:path, $method:ident, $value:ty, $kind:literal) => {
        fn $method(self, _: $value) -> std::result::Result<Self::Ok, Self::Error> {
            $refuse($kind)
        }
    };
}

pub(super) use refuse;

/// Implements the named methods of a `Serializer` that only unwrap a value.
macro_rules! transparent {
    () => {
        fn serialize_some<T: Serialize + ?Sized>(
            self,
            value: &T,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            value.serialize(self)
        }

        fn serialize_newtype_struct<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            value: &T,
        ) -> std::result::Result<Self::Ok, Self::Error> {
            value.serialize(self)
        }
    };
}

pub(super) use transparent;
