//! The text of a filter to a predicate: an expression of SQL, of which a part is understood.

use sqlparser::ast::{BinaryOperator, Expr, Ident, Spanned, UnaryOperator, Value, ValueWithSpan};
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use super::predicate::{ColumnRef, Comparison, FilterPlace, Literal, LiteralValue, Predicate};
use crate::error::{Error, Result};

/// Most words and operators of a filter; literals are not counted. The tree of an expression is as deep as it
/// has operators, and walked by recursion.
const MAX_WORDS: usize = 1_024;

/// What can be said, for whoever said something else.
const UNDERSTOOD: &str = "a filter compares columns with literals by = <> < <= > >=, IN, BETWEEN, LIKE and IS NULL, joined by AND, OR and NOT";

pub(super) fn parse(text: &str) -> Result<Predicate> {
    let tokens = Tokenizer::new(&PostgreSqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| syntax(place(error.location), error.message))?;
    let words = tokens.iter().filter(|token| is_word(&token.token)).count();
    if words == 0 && tokens.iter().all(|token| is_blank(&token.token)) {
        return Err(syntax(
            FilterPlace::default(),
            format!("it is empty: {UNDERSTOOD}"),
        ));
    }
    if words > MAX_WORDS {
        let reason = format!(
            "it has {words} words and operators, and may have {MAX_WORDS}: write OR of one column as IN, or load what you need in parts"
        );
        return Err(syntax(FilterPlace::default(), reason));
    }
    let mut parser = Parser::new(&PostgreSqlDialect {}).with_tokens_with_locations(tokens);
    let expression = parser.parse_expr().map_err(|error| {
        // The message ends with the place in words of its own.
        let message = error.to_string();
        let message = message.trim_start_matches("sql parser error: ");
        syntax(FilterPlace::default(), message.to_owned())
    })?;
    let rest: TokenWithSpan = parser.peek_token();
    if rest.token != Token::EOF {
        let reason = format!("it ends before {}: {UNDERSTOOD}", rest.token);
        return Err(syntax(place(rest.span.start), reason));
    }
    predicate(&expression)
}

fn is_blank(token: &Token) -> bool {
    matches!(token, Token::Whitespace(_) | Token::EOF)
}

fn is_word(token: &Token) -> bool {
    !is_blank(token)
        && !matches!(
            token,
            Token::Number(..)
                | Token::SingleQuotedString(_)
                | Token::HexStringLiteral(_)
                | Token::Comma
        )
}

fn syntax(place: FilterPlace, reason: String) -> Error {
    Error::Filter { place, reason }
}

fn place(location: Location) -> FilterPlace {
    FilterPlace {
        line: location.line,
        character: location.column,
    }
}

fn place_of(expression: &Expr) -> FilterPlace {
    place(expression.span().start)
}

fn not_understood(expression: &Expr) -> Error {
    syntax(
        place_of(expression),
        format!("{expression} is not understood: {UNDERSTOOD}"),
    )
}

fn predicate(expression: &Expr) -> Result<Predicate> {
    match expression {
        Expr::Nested(inner) => predicate(inner),
        Expr::BinaryOp {
            op: BinaryOperator::And,
            ..
        } => Ok(Predicate::All(chain(expression, &BinaryOperator::And)?)),
        Expr::BinaryOp {
            op: BinaryOperator::Or,
            ..
        } => Ok(Predicate::Any(chain(expression, &BinaryOperator::Or)?)),
        Expr::BinaryOp { left, op, right } => comparison(expression, left, op, right),
        Expr::UnaryOp {
            op: UnaryOperator::Not,
            expr,
        } => Ok(not(predicate(expr)?)),
        Expr::IsNull(inner) => Ok(Predicate::IsNull(column(inner)?)),
        Expr::IsNotNull(inner) => Ok(not(Predicate::IsNull(column(inner)?))),
        Expr::InList {
            expr,
            list,
            negated,
        } => {
            let column = column(expr)?;
            let equals = list
                .iter()
                .map(|value| Ok(equal(&column, literal(value)?)))
                .collect::<Result<_>>()?;
            Ok(not_if(*negated, Predicate::Any(equals)))
        }
        Expr::Between {
            expr,
            negated,
            low,
            high,
        } => {
            let column = column(expr)?;
            let within = vec![
                Predicate::Compare(column.clone(), Comparison::GreaterOrEqual, literal(low)?),
                Predicate::Compare(column, Comparison::LessOrEqual, literal(high)?),
            ];
            Ok(not_if(*negated, Predicate::All(within)))
        }
        Expr::Like {
            negated,
            any: false,
            expr,
            pattern,
            escape_char: None,
        } => Ok(not_if(
            *negated,
            Predicate::Like(column(expr)?, literal(pattern)?),
        )),
        // A column of booleans is a condition by itself.
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
            let column = column(expression)?;
            let place = column.place;
            let value = LiteralValue::Boolean(true);
            Ok(equal(&column, Literal { value, place }))
        }
        other => Err(not_understood(other)),
    }
}

/// The parts of `a AND b AND c`, which come as `(a AND b) AND c`.
fn chain(expression: &Expr, chained: &BinaryOperator) -> Result<Vec<Predicate>> {
    let mut parts = Vec::new();
    let mut rest = expression;
    while let Expr::BinaryOp { left, op, right } = rest
        && op == chained
    {
        parts.push(predicate(right)?);
        rest = left;
    }
    parts.push(predicate(rest)?);
    parts.reverse();
    Ok(parts)
}

fn not(part: Predicate) -> Predicate {
    Predicate::Not(Box::new(part))
}

fn not_if(negated: bool, part: Predicate) -> Predicate {
    if negated { not(part) } else { part }
}

fn equal(column: &ColumnRef, literal: Literal) -> Predicate {
    Predicate::Compare(column.clone(), Comparison::Equal, literal)
}

fn comparison(whole: &Expr, left: &Expr, op: &BinaryOperator, right: &Expr) -> Result<Predicate> {
    let (comparison, negated) = match op {
        BinaryOperator::Eq => (Comparison::Equal, false),
        BinaryOperator::NotEq => (Comparison::Equal, true),
        BinaryOperator::Lt => (Comparison::Less, false),
        BinaryOperator::LtEq => (Comparison::LessOrEqual, false),
        BinaryOperator::Gt => (Comparison::Greater, false),
        BinaryOperator::GtEq => (Comparison::GreaterOrEqual, false),
        _ => return Err(not_understood(whole)),
    };
    let compared = match (is_column(left), is_column(right)) {
        (true, false) => Predicate::Compare(column(left)?, comparison, literal(right)?),
        (false, true) => Predicate::Compare(column(right)?, comparison.flipped(), literal(left)?),
        (true, true) => {
            let reason = format!(
                "{whole} compares two columns, and a column can be compared with a literal only: a string is written in single quotes"
            );
            return Err(syntax(place_of(whole), reason));
        }
        (false, false) => return Err(not_understood(whole)),
    };
    Ok(not_if(negated, compared))
}

fn is_column(expression: &Expr) -> bool {
    match expression {
        Expr::Nested(inner) => is_column(inner),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        _ => false,
    }
}

fn column(expression: &Expr) -> Result<ColumnRef> {
    let of = |idents: &[Ident]| ColumnRef {
        path: idents.iter().map(|ident| ident.value.clone()).collect(),
        place: place_of(expression),
    };
    match expression {
        Expr::Nested(inner) => column(inner),
        Expr::Identifier(ident) => Ok(of(std::slice::from_ref(ident))),
        Expr::CompoundIdentifier(idents) => Ok(of(idents)),
        other => Err(syntax(
            place_of(other),
            format!("{other} is not a column: {UNDERSTOOD}"),
        )),
    }
}

fn literal(expression: &Expr) -> Result<Literal> {
    let place = place_of(expression);
    let refused = || {
        syntax(
            place,
            format!(
                "{expression} is not a literal: numbers, 'text', X'bytes', TRUE, FALSE and NULL are"
            ),
        )
    };
    let value = match expression {
        Expr::Nested(inner) => return literal(inner),
        Expr::Value(value) => plain(value).ok_or_else(refused)?,
        // DATE '2024-01-31': the type is that of the column anyway.
        Expr::TypedString(typed) => plain(&typed.value).ok_or_else(refused)?,
        Expr::UnaryOp { op, expr } => match (op, literal(expr)?.value) {
            (UnaryOperator::Plus, LiteralValue::Number(number)) => LiteralValue::Number(number),
            (UnaryOperator::Minus, LiteralValue::Number(number)) => {
                match number.strip_prefix('-') {
                    Some(positive) => LiteralValue::Number(positive.to_owned()),
                    None => LiteralValue::Number(format!("-{number}")),
                }
            }
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    };
    Ok(Literal { value, place })
}

fn plain(value: &ValueWithSpan) -> Option<LiteralValue> {
    Some(match &value.value {
        Value::Number(number, _) => LiteralValue::Number(number.clone()),
        Value::SingleQuotedString(text) => LiteralValue::Text(text.clone()),
        Value::HexStringLiteral(hex) => LiteralValue::Bytes(bytes_of_hex(hex)?),
        Value::Boolean(value) => LiteralValue::Boolean(*value),
        Value::Null => LiteralValue::Null,
        _ => return None,
    })
}

fn bytes_of_hex(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = hex.chars().map(|digit| digit.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let pair =
        |pair: &[u32]| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok();
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).unwrap_err().to_string()
    }

    fn compare(name: &str, comparison: Comparison, value: LiteralValue) -> Predicate {
        let mut parsed = parse(&format!("{name} = 0")).unwrap();
        let Predicate::Compare(_, op, literal) = &mut parsed else {
            panic!("{parsed:?}")
        };
        *op = comparison;
        literal.value = value;
        parsed
    }

    fn without_places(mut predicate: Predicate) -> Predicate {
        match &mut predicate {
            Predicate::All(parts) | Predicate::Any(parts) => {
                *parts = std::mem::take(parts)
                    .into_iter()
                    .map(without_places)
                    .collect();
            }
            Predicate::Not(part) => **part = without_places((**part).clone()),
            Predicate::Compare(column, _, literal) | Predicate::Like(column, literal) => {
                column.place = FilterPlace::default();
                literal.place = FilterPlace::default();
            }
            Predicate::IsNull(column) => column.place = FilterPlace::default(),
        }
        predicate
    }

    fn assert_same(left: &str, right: &str) {
        let plain = |text| without_places(parse(text).unwrap());
        assert_eq!(plain(left), plain(right));
    }

    #[test]
    fn and_binds_closer_than_or() {
        assert_same("a = 1 OR b = 2 AND c = 3", "a = 1 OR (b = 2 AND c = 3)");
        assert_same("NOT a = 1 AND b = 2", "(NOT (a = 1)) AND b = 2");
    }

    #[test]
    fn what_says_the_same_is_the_same() {
        assert_same("5 < a", "a > 5");
        assert_same("a <> 5", "NOT a = 5");
        assert_same("a BETWEEN 1 AND 5", "a >= 1 AND a <= 5");
        assert_same("a NOT IN (1)", "NOT (a IN (1))");
        assert_same("d >= DATE '2024-01-31'", "d >= '2024-01-31'");
        assert_same("flag AND a = 1", "flag = TRUE AND a = 1");
        assert_same("a = -(-5)", "a = 5");
    }

    #[test]
    fn quotes_make_one_name_of_dots_and_of_words_of_sql() {
        let column = |text: &str| match parse(text).unwrap() {
            Predicate::IsNull(column) => column.path,
            other => panic!("{other:?}"),
        };
        assert_eq!(column("a.b IS NULL"), ["a", "b"]);
        assert_eq!(column("\"a.b\" IS NULL"), ["a.b"]);
        assert_eq!(column("\"Select\".\"x y\" IS NULL"), ["Select", "x y"]);
    }

    #[test]
    fn literals_keep_their_text() {
        let text = LiteralValue::Text("it's".to_owned());
        assert_same("a = 'it''s'", "a = 'it''s'");
        assert!(matches!(
            parse("a = 'it''s'").unwrap(),
            Predicate::Compare(_, Comparison::Equal, Literal { value, .. }) if value == text
        ));
        let number = LiteralValue::Number("-12.50e3".to_owned());
        assert_eq!(
            without_places(compare("a", Comparison::Less, number)),
            without_places(parse("a < -12.50e3").unwrap())
        );
        let bytes = LiteralValue::Bytes(vec![0, 255]);
        assert_eq!(
            without_places(compare("a", Comparison::Equal, bytes)),
            without_places(parse("a = X'00fF'").unwrap())
        );
    }

    #[test]
    fn a_refusal_names_the_place_and_what_is_understood() {
        assert!(refusal("").contains("it is empty"));
        assert!(refusal("a = 1 b").starts_with("filter, character 7: it ends before b"));
        assert!(
            refusal("lower(a) = 'x'").contains("character 1: lower(a) = 'x' is not understood")
        );
        assert!(refusal("a = b").contains("compares two columns"));
        assert!(refusal("a = 1 AND\n  b = c + 1").starts_with("filter, line 2, character 7"));
        for text in [
            "a =",
            "(a = 1",
            "a = 1; DROP",
            "a IN (SELECT 1)",
            "a = 'x",
            "1 = 1",
            "a LIKE 'x' ESCAPE '!'",
            "a + 1 = 2",
            "a = X'0'",
            "EXISTS (SELECT 1)",
            "a[1] = 2",
            "a IN ()",
            "a = $1",
        ] {
            assert!(
                refusal(text).starts_with("filter"),
                "{text}: {}",
                refusal(text)
            );
        }
    }

    #[test]
    fn a_filter_that_would_fill_the_stack_is_refused() {
        assert!(parse(&format!("{} a = 1", "(".repeat(10_000))).is_err());
        assert!(parse(&format!("a = 1{}", " OR a = 1".repeat(100_000))).is_err());
        assert!(parse(&format!("a = 1{}", " + 1".repeat(100_000))).is_err());
        assert!(parse(&format!("a = 1{}", " OR a = 1".repeat(200))).is_ok());
        let many = vec!["1"; 100_000].join(", ");
        assert!(parse(&format!("a IN ({many})")).is_ok());
    }
}
