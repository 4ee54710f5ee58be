//! Expressions that are refused, and with what words.

use arrow_array::record_batch;
use linjin_columns::{Columns, ExpressionError};

fn table() -> Columns {
    let rows = record_batch!(
        ("price", Float32, [1.0]),
        ("lang", Utf8, ["zh"]),
        ("sold", Boolean, [true]),
        ("year", Int32, [2026])
    );
    Columns::default().with(&[1], &rows.unwrap()).unwrap().0
}

#[test]
fn each_says_what_was_found_and_what_to_do() {
    let known = "the columns are price, lang, sold, year";
    let supported = "is not supported: expressions are made of columns, values, + - * / %, = != < <= > >=, AND, OR, NOT, IN, \
                     BETWEEN, LIKE, ILIKE, IS NULL and IS TRUE";
    let quotes = "a column whose name is no plain word goes into double quotes";
    let cases = [
        (
            "prise < 3",
            format!("there is no column `prise`, did you mean `price`?; {known}; text goes into single quotes"),
        ),
        ("Lang = 'zh'", format!("there is no column `Lang`, did you mean `lang`?; {known}; text goes into single quotes")),
        ("lang = zh", format!("there is no column `zh`; {known}; text goes into single quotes")),
        ("a.b = 1", format!("there is no column `a.b`; {known}; text goes into single quotes")),
        ("`lan` = 'zh'", format!("there is no column `lan`, did you mean `lang`?; {known}; text goes into single quotes")),
        ("\"lan\" = 'zh'", format!("'lan' and 'zh' are both values: one side must be a column; {known}")),
        (
            "price < 'abc'",
            "the column `price` is of type float32 and cannot be compared with 'abc': write a number, without quotes"
                .to_owned(),
        ),
        (
            "lang = -5.0",
            "the column `lang` is of type text and cannot be compared with -5.0: write text in single quotes".to_owned(),
        ),
        (
            "sold in (true, 1)",
            "the column `sold` is of type bool and cannot be compared with 1: write true or false".to_owned(),
        ),
        (
            "year like '20%'",
            "the column `year` is of type int32 and cannot be compared with the pattern '20%': LIKE compares text with text"
                .to_owned(),
        ),
        (
            "lang = year",
            "the columns `lang` (text) and `year` (int32) cannot be compared: their types differ in kind".to_owned(),
        ),
        (
            "price",
            "the column `price` of type float32 is no condition: compare it with something, as in `price < 10`".to_owned(),
        ),
        ("not 'zh'", "the value 'zh' is no condition: compare it with something, as in `price < 10`".to_owned()),
        ("1 = 1", format!("1 and 1 are both values: one side must be a column; {known}")),
        ("price = null", "a comparison with NULL is never true: write IS NULL or IS NOT NULL".to_owned()),
        ("year in (1, null)", "a comparison with NULL is never true: write IS NULL or IS NOT NULL".to_owned()),
        ("lower(lang) = 'zh'", format!("the function lower {supported}")),
        ("price ^ 2 < 3", format!("the operator ^ here {supported}")),
        ("price < 2 < 3", format!("the operator < here {supported}")),
        (
            "price < 3 and price + lang < 3",
            "the operator + takes numbers here: the column `lang` of type text at Line: 1, Column: 23 is none".to_owned(),
        ),
        (
            "year % 10 in (1, '2')",
            "the operator IN takes numbers here: the value '2' at Line: 1, Column: 18 is none".to_owned(),
        ),
        (
            "sold * 2 = 4",
            "the operator * takes numbers here: the column `sold` of type bool at Line: 1, Column: 1 is none".to_owned(),
        ),
        (
            "year - 1 < '2026'",
            "the operator < takes numbers here: the value '2026' at Line: 1, Column: 12 is none".to_owned(),
        ),
        (
            "lang >= year\n - 1",
            "the operator >= takes numbers here: the column `lang` of type text at Line: 1, Column: 1 is none".to_owned(),
        ),
        (
            "year <\n  -lang",
            "the operator - takes numbers here: the column `lang` of type text at Line: 2, Column: 4 is none".to_owned(),
        ),
        ("prise * 2 < 3", format!("there is no column `prise`, did you mean `price`?; {known}; text goes into single quotes")),
        (
            "price / 0 < 3",
            "the operator / gives no number with what stands at Line: 1, Column: 9: it is zero, or both sides are infinite"
                .to_owned(),
        ),
        (
            "year < 5 % (3 - 3)",
            "the operator % gives no number with what stands at Line: 1, Column: 13: it is zero, or both sides are infinite"
                .to_owned(),
        ),
        ("price + 1", "a number is no condition: compare it with something, as in `price < 10`".to_owned()),
        ("not -price", "a number is no condition: compare it with something, as in `price < 10`".to_owned()),
        ("1 + 1", "the value 2 is no condition: compare it with something, as in `price < 10`".to_owned()),
        ("1 + 1 = 2", format!("2 and 2 are both values: one side must be a column; {known}")),
        ("sold = 1 + 1", "the column `sold` is of type bool and cannot be compared with 2: write true or false".to_owned()),
        ("price + null < 3", "a comparison with NULL is never true: write IS NULL or IS NOT NULL".to_owned()),
        ("year * 2 like '4%'", format!("a computed number where a column must be {supported}")),
        ("year in (year + 1)", format!("what is computed of columns where a value must be {supported}")),
        ("price || 'x'", format!("the operator || {supported}")),
        ("price < 3 and 1 / price", "a number is no condition: compare it with something, as in `price < 10`".to_owned()),
        ("year in (select 1)", format!("IN with anything but a list of values {supported}")),
        ("exists (select 1)", format!("a subquery {supported}")),
        ("(select 1) = 1", format!("a subquery {supported}")),
        ("cast(year as text) = '1'", format!("a cast {supported}")),
        ("case when sold then true else false end", format!("CASE {supported}")),
        ("lang like 'a!%' escape '!'", format!("LIKE with ANY or ESCAPE {supported}")),
        ("year in (lang)", format!("the column `lang` where a value must be {supported}")),
        ("5 in (5, 6)", format!("the value 5 where a column must be {supported}")),
        (
            "price <",
            format!("the expression cannot be read: Expected: an expression, found: EOF; {quotes}"),
        ),
        (
            "price < 3 banana",
            format!("the expression cannot be read: it ends before `banana` at Line: 1, Column: 11; {quotes}"),
        ),
        ("", format!("the expression cannot be read: Expected: an expression, found: EOF; {quotes}")),
        (
            "lang = 'zh",
            format!("the expression cannot be read: Unterminated string literal at Line: 1, Column: 8; {quotes}"),
        ),
        ("year = 1e99999999999", format!("the expression cannot be read: 1e99999999999 is no number; {quotes}")),
    ];
    let table = table();
    for (expression, expected) in cases {
        match table.select(expression) {
            Ok(found) => panic!("{expression} found {found:?}"),
            Err(error) => assert_eq!(error.to_string(), expected, "{expression}"),
        }
    }
    let empty = Columns::default().select("a = 1").unwrap_err().to_string();
    assert_eq!(empty, "there is no column `a`; there are no columns yet; text goes into single quotes");
}

#[test]
fn dates_are_asked_for_by_example() {
    use arrow_array::{ArrayRef, Date32Array, RecordBatch};
    let day: ArrayRef = std::sync::Arc::new(Date32Array::from(vec![1]));
    let table =
        Columns::default().with(&[1], &RecordBatch::try_from_iter([("day", day)]).unwrap()).unwrap().0;
    for (expression, literal) in
        [("day > 'May'", "'May'"), ("day > '2026-02-30'", "'2026-02-30'"), ("day > 5", "5")]
    {
        assert_eq!(
            table.select(expression).unwrap_err().to_string(),
            format!(
                "the column `day` is of type date32 and cannot be compared with {literal}: write a date as '2026-01-31', a \
                 time as '2026-01-31T12:30:00' or with an offset such as +02:00"
            )
        );
    }
}

/// On a thread with the stack that threads have: 2 MiB.
#[test]
fn limits_hold_before_the_stack_ends() {
    let table = table();
    // A thread of a foreign program may have little.
    let small = std::thread::Builder::new().stack_size(128 << 10);
    std::thread::scope(|scope| small.spawn_scoped(scope, || limits_hold(&table)).unwrap().join().unwrap());
}

fn limits_hold(table: &Columns) {
    let select = |text: String| table.select(&text);
    assert!(matches!(
        select(" ".repeat(65_537)),
        Err(ExpressionError::TooLong { found: 65_537, limit: 65_536 })
    ));
    assert!(matches!(select("sold or ".repeat(4_000) + "sold"), Err(ExpressionError::TooMany { .. })));
    assert!(matches!(
        select("(".repeat(500) + "sold" + &")".repeat(500)),
        Err(ExpressionError::TooDeep { .. })
    ));
    // The parser takes the last NOT for a name then.
    assert!(select("not ".repeat(500) + "sold").is_err());
    assert!(matches!(select("- ".repeat(500) + "5 < price"), Err(ExpressionError::TooDeep { .. })));
    assert!(matches!(
        select("sold".to_owned() + &" is true".repeat(500)),
        Err(ExpressionError::TooDeep { .. })
    ));
    // As deep as trees become.
    assert_eq!(select("sold or ".repeat(1_000) + "sold").unwrap(), [1]);
    assert_eq!(select("year".to_owned() + &" + 1".repeat(2_000) + " = 4026").unwrap(), [1]);
    assert!(select("year".to_owned() + &" + year".repeat(1_100) + " = 1").is_err());
    assert_eq!(select("year".to_owned() + &" - year".repeat(1_000) + " < 0").unwrap(), [1]);
    assert!(select("year".to_owned() + &" = 1".repeat(2_000)).is_err());
    assert!(select("sold".to_owned() + &" is null".repeat(1_000)).is_err());
    assert!(select("year".to_owned() + &"::int".repeat(1_000) + " = 1").is_err());
    assert!(select("sold and (".repeat(20) + "sold" + &")".repeat(20)).is_ok());
}

#[test]
fn patterns_that_grow_too_large_are_refused() {
    let table = table();
    let pattern = "_%".repeat(20_000);
    match table.select(&format!("lang like 'a{pattern}b'")) {
        Ok(found) => assert!(found.is_empty()),
        Err(error) => assert!(matches!(error, ExpressionError::Pattern { .. }), "{error}"),
    }
}

/// Any text is an expression or an error.
#[test]
fn no_text_ends_in_a_panic() {
    let table = table();
    let parts = [
        "price", "lang", "sold", "\"lang\"", "'zh'", "\"x", "'", "`", "(", ")", ",", "=", "==", "<", "!=",
        "not", "and", "or", "in", "like", "ilike", "between", "is", "null", "true", "-", "+", "*", "/", "::",
        ".", "5", "1e9", "0x1", "é", "鄰", "$1", "?", "[", "]", "{", "}", ":", ";", "--", "/*", "*/",
        "select", "from", "case", "when", "end", "interval", "date", "array", "any", "all", "exists",
        "unnest", "@", "#", "\\", "\0", "->", "|", "&", "~", "^", "%", "e'a'", "x'1'", "n'a'", "$$",
    ];
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..20_000 {
        let mut text = String::new();
        for _ in 0..1 + state % 9 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            text += parts[(state >> 20) as usize % parts.len()];
            if state & 3 != 0 {
                text.push(' ');
            }
        }
        let _ = table.select(&text);
    }
}
