//! The binary: hands the arguments and the streams to the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use danewright::cli::{self, Streams};

fn main() -> ExitCode {
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    let streams = Streams {
        out_is_terminal: stdout.is_terminal(),
        err_is_terminal: stderr.is_terminal(),
        out: &mut stdout.lock(),
        err: &mut stderr.lock(),
    };
    cli::main(std::env::args_os(), streams).into()
}
