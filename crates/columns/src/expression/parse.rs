//! Text to sqlparser's tree, within limits.

use sqlparser::ast::Expr;
use sqlparser::dialect::Dialect;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::error::ExpressionError;

/// Bytes of an expression: room for some thousand values of an `IN`.
const MAX_BYTES: usize = 64 << 10;

/// Tokens other than values and commas. Each may make the tree one deeper, and to drop a tree takes stack with its depth.
const MAX_TOKENS: usize = 2048;

/// Parentheses, right sides of operators and signs within one another. The parser takes several kilobytes of stack for each.
const MAX_DEPTH: usize = 50;

/// Plain SQL: what is in double quotes or backticks is an identifier, words may be of any language, and nothing else of any
/// dialect is known, so that few names of columns mean something else.
#[derive(Debug)]
struct Plain;

impl Dialect for Plain {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    // Lists that programs write may have nothing in them.
    fn supports_in_empty_list(&self) -> bool {
        true
    }
}

/// The tree of one expression.
pub(super) fn parse(text: &str) -> Result<Expr, ExpressionError> {
    if text.len() > MAX_BYTES {
        return Err(ExpressionError::TooLong { found: text.len(), limit: MAX_BYTES });
    }
    let tokens = Tokenizer::new(&Plain, text).tokenize_with_location();
    let tokens = tokens.map_err(|error| ExpressionError::Syntax { what: error.to_string() })?;
    let counted = tokens.iter().filter(|token| !is_value(&token.token)).count();
    if counted > MAX_TOKENS {
        return Err(ExpressionError::TooMany { found: counted, limit: MAX_TOKENS });
    }
    let mut parser = Parser::new(&Plain).with_recursion_limit(MAX_DEPTH).with_tokens_with_locations(tokens);
    let tree = parser.parse_expr().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => ExpressionError::TooDeep { limit: MAX_DEPTH },
        ParserError::TokenizerError(what) | ParserError::ParserError(what) => {
            ExpressionError::Syntax { what }
        }
    })?;
    let next = parser.peek_token_ref();
    match next.token {
        Token::EOF => Ok(tree),
        _ => Err(ExpressionError::Syntax {
            what: format!("it ends before `{}`{}", next.token, next.span.start),
        }),
    }
}

/// Whether a token stands beside the tree's depth: a value, or what is between values.
fn is_value(token: &Token) -> bool {
    matches!(token, Token::Number(..) | Token::SingleQuotedString(_) | Token::Comma | Token::Whitespace(_))
}
