//! The command line: arguments, errors and exit codes; one file a command.
//!
//! Answers go to standard output, everything else (errors, notes, progress) to standard error. With `--json` both
//! are JSON. No command asks anything, and a reader that closes the pipe early ends it quietly.

mod demo;
mod inspect;
mod model;
mod output;
mod pack;
mod predict;
mod rows;
mod term;
mod train;
mod verify;

use carryout::{Error, Kind};
use clap::{Parser, Subcommand};
use std::io;
use std::process::ExitCode;

/// The documented exit codes.
mod exit {
    pub const MISMATCH: u8 = 1;
    pub const USAGE: u8 = 2;
    pub const MODEL: u8 = 3;
    pub const INPUT: u8 = 4;
    pub const SYSTEM: u8 = 5;
}

const EXAMPLES: &str = "\
Examples:
  carryout pack model.joblib -o pkg/loan-approval
  carryout predict model.joblib rows.csv -o predictions.csv
  carryout inspect model.joblib
  carryout verify pkg/loan-approval --rows X.jsonl --expected expected.json
  carryout demo pkg/loan-approval
  carryout train loans.csv --target approved -o loans.carry

Exit codes:
  0  done
  1  verify found a difference
  2  a mistake on the command line
  3  the model file is damaged, unsupported, unsafe or over a limit
  4  the rows or an option do not fit the model
  5  a file or the network could not be read or written";

/// Carry a trained tabular model out as a small npm package that predicts where it is loaded, no server behind it
#[derive(Parser)]
#[command(name = "carryout", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Arguments {
    /// Answers and errors as JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Pack(pack::Arguments),
    Predict(predict::Arguments),
    Inspect(inspect::Arguments),
    Verify(verify::Arguments),
    Demo(demo::Arguments),
    Train(Box<train::Arguments>),
}

/// Why a command ends without its answer.
enum Failure {
    Error(Error),
    /// The command line asks for something that cannot be.
    Usage(Error),
    /// The answer was given and is a difference.
    Mismatch,
    /// Nobody reads any more.
    Closed,
}

type Outcome<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Error(error)
    }
}

/// Of writing an answer; files are read with `model::system`, which names them.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Failure::Closed,
            _ => Failure::Error(Error::new(Kind::Io, error.to_string()).at("writing the answer")),
        }
    }
}

impl Failure {
    fn usage(message: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure::Usage(Error::input(message).remedy(remedy))
    }

    fn code(&self) -> u8 {
        match self {
            Failure::Closed => 0,
            Failure::Mismatch => exit::MISMATCH,
            Failure::Usage(_) => exit::USAGE,
            Failure::Error(error) => match error.kind() {
                Kind::Malformed | Kind::Unsupported | Kind::Unsafe | Kind::Limit => exit::MODEL,
                Kind::Input => exit::INPUT,
                Kind::Io => exit::SYSTEM,
            },
        }
    }
}

/// clap's error as ours: its first paragraph, the others being what to do.
fn mistake(error: &clap::Error) -> Error {
    let text = error.to_string();
    let plain = |paragraph: &str| paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let (message, rest) = text.split_once("\n\n").unwrap_or((&text, ""));
    let message = plain(message.strip_prefix("error: ").unwrap_or(message));
    let rest: Vec<String> = rest.split("\n\n").map(plain).filter(|paragraph| !paragraph.is_empty()).collect();
    Error::input(message).remedy(rest.join("\n"))
}

pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to standard output with 0, mistakes to standard error with 2.
            let code = error.exit_code() as u8;
            if code == exit::USAGE && std::env::args_os().any(|word| word == "--json") {
                term::report(&mistake(&error), code, true);
            } else {
                let _ = error.print();
            }
            return ExitCode::from(code);
        }
    };
    let json = arguments.json;
    let outcome = match arguments.command {
        Command::Pack(arguments) => pack::run(arguments, json),
        Command::Predict(arguments) => predict::run(arguments, json),
        Command::Inspect(arguments) => inspect::run(arguments, json),
        Command::Verify(arguments) => verify::run(arguments, json),
        Command::Demo(arguments) => demo::run(arguments, json),
        Command::Train(arguments) => train::run(*arguments, json),
    };
    let Err(failure) = outcome else { return ExitCode::SUCCESS };
    let code = failure.code();
    if let Failure::Error(error) | Failure::Usage(error) = &failure {
        term::report(error, code, json);
    }
    ExitCode::from(code)
}
