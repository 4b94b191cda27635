//! What is to be verified: the keys, hosts and ports of the command line, or
//! those of a list. Each key change comes out as a job with its expectation.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use clap::Args;

use crate::cli::options::{self, TargetArgs};
use crate::cli::verify::list::{self, Item, Line, Place};
use crate::cli::{Failure, Ui, inputs};
use crate::keys::{self, KeyFile};
use crate::propagation::Expectation;
use crate::tlsa::{Params, Port, Target, Tlsa};

/// More targets than anybody has; each costs memory and questions.
const MOST: usize = 100_000;

/// Keys, hosts and ports, or a list of them.
#[derive(Args, Debug)]
pub struct ChosenArgs {
    /// Certificate, chain, request, public or private key to deploy, PEM or DER; - is stdin
    #[arg(value_name = "FILE", required_unless_present = "list")]
    pub files: Vec<PathBuf>,
    /// File whose first line opens encrypted private keys
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Host that serves TLS; repeats
    #[arg(long = "host", value_name = "HOST", required_unless_present_any = ["list", "owners"])]
    pub hosts: Vec<String>,
    /// Port: 25, 443/udp, smtp, or a list of them; repeats
    #[arg(long = "port", value_name = "PORT", required_unless_present_any = ["list", "owners"], value_delimiter = ',')]
    pub ports: Vec<Port>,
    /// TLSA owner as it is, in place of --host and --port; repeats
    #[arg(long = "owner", value_name = "NAME", conflicts_with_all = ["hosts", "ports"])]
    pub owners: Vec<String>,
    /// Key or certificate that is deployed now; its records must be there too; repeats
    #[arg(long, value_name = "FILE")]
    pub current: Vec<PathBuf>,
    /// Verify every line of this file instead: key file, host, ports, and the
    /// deployed key's file if known; commas list several; # begins a comment;
    /// paths start at the list's folder; - is stdin
    #[arg(long = "targets", value_name = "LIST", conflicts_with_all = ["files", "hosts", "ports", "owners", "current"])]
    pub list: Option<PathBuf>,
}

/// One key change: what is expected, and where.
pub(crate) struct Job {
    pub(crate) targets: Vec<Target>,
    pub(crate) expectation: Expectation,
    keys: Rc<Vec<KeyFile>>,
}

impl Job {
    /// What each new key comes to under other parameters; empty when the files do
    /// not say. For usages 0 and 2 that is any certificate of the key's chain.
    pub(crate) fn derive(&self, params: Params) -> Vec<Vec<Tlsa>> {
        let Ok(all) = keys::records(&self.keys, params) else {
            return Vec::new();
        };
        if params.usage.names_an_authority() {
            // A file that has no chain is covered by that of another file.
            let chains = self
                .keys
                .iter()
                .filter_map(|file| keys::records(std::slice::from_ref(file), params).ok());
            return chains.filter(|records| !records.is_empty()).collect();
        }
        all.into_iter().map(|record| vec![record]).collect()
    }
}

impl ChosenArgs {
    /// All key changes, in the order given.
    ///
    /// # Errors
    ///
    /// When a file, a name or the list is wrong.
    pub(crate) fn jobs(&self, params: Params, ui: &mut Ui<'_>) -> Result<Vec<Job>, Failure> {
        match &self.list {
            Some(list) => self.listed(list, params, ui),
            None => Ok(vec![self.job(params, ui)?]),
        }
    }

    fn job(&self, params: Params, ui: &mut Ui<'_>) -> Result<Job, Failure> {
        let (hosts, ports, owners) = (self.hosts.clone(), self.ports.clone(), self.owners.clone());
        let targets = TargetArgs {
            hosts,
            ports,
            owners,
        }
        .targets()?;
        let files: Vec<PathBuf> = self.files.iter().chain(&self.current).cloned().collect();
        let mut files = inputs::read_keys(&files, self.passphrase_file.as_deref())?;
        let current = files.split_off(self.files.len().min(files.len()));
        let expected = inputs::records(&files, params, ui)?;
        let current = if current.is_empty() {
            None
        } else {
            Some(inputs::records(&current, params, ui)?)
        };
        Ok(Job {
            targets,
            expectation: Expectation::new(expected, current),
            keys: Rc::new(files),
        })
    }

    fn listed(&self, list: &Path, params: Params, ui: &mut Ui<'_>) -> Result<Vec<Job>, Failure> {
        let stdin = list == Path::new("-");
        let name = if stdin {
            "stdin".to_owned()
        } else {
            list.display().to_string()
        };
        let at = |place: Place| format!("{name}:{place}");
        let text = String::from_utf8(inputs::read_file(list)?).map_err(|error| {
            let read = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = read.iter().filter(|octet| **octet == b'\n').count() + 1;
            Failure::wrong("the list is no UTF-8 text here").at(format!("{name}:{line}"))
        })?;
        let lines = list::read(&text).map_err(|error| {
            let hint = "a line is: key file, host, ports, and perhaps the file of the deployed key";
            Failure::wrong(error.to_string())
                .at(at(error.place))
                .hint(hint)
        })?;
        if lines.is_empty() {
            return Err(Failure::wrong("there is no target in the list").at(&name));
        }
        let folder = if stdin {
            Path::new("")
        } else {
            list.parent().unwrap_or(Path::new(""))
        };
        let passphrase_file = self.passphrase_file.as_deref();
        let mut shelf = Shelf {
            folder,
            passphrase_file,
            params,
            read: HashMap::new(),
        };
        let mut known: HashMap<Target, Place> = HashMap::new();
        let mut jobs = Vec::new();
        for line in lines {
            let mut targets = Vec::new();
            for (target, place) in
                targets_of(&line).map_err(|(failure, place)| failure.at(at(place)))?
            {
                if let Some(first) = known.insert(target.clone(), place) {
                    let hint =
                        "name all key files of one target on one line, with commas between them";
                    let message = format!("line {} has this target already", first.line);
                    return Err(Failure::wrong(message).at(at(place)).hint(hint));
                }
                targets.push(target);
            }
            if known.len() > MOST {
                return Err(
                    Failure::wrong(format!("the list has more than {MOST} targets")).at(&name),
                );
            }
            let place = |failure: Failure, item: &Item| {
                let inner = failure.place.clone().unwrap_or_default();
                failure.at(format!("{}: {inner}", at(item.place)))
            };
            let (keys, expected) = shelf
                .read(&line.keys, ui)
                .map_err(|(failure, item)| place(failure, &item))?;
            let current = match line.current.as_slice() {
                [] => None,
                items => Some(
                    shelf
                        .read(items, ui)
                        .map_err(|(failure, item)| place(failure, &item))?
                        .1,
                ),
            };
            jobs.push(Job {
                targets,
                expectation: Expectation::new(expected, current),
                keys,
            });
        }
        Ok(jobs)
    }
}

/// Keys with their records.
type Keys = (Rc<Vec<KeyFile>>, Vec<Tlsa>);

/// Key files that have been read: many lines may name the same.
struct Shelf<'a> {
    folder: &'a Path,
    passphrase_file: Option<&'a Path>,
    params: Params,
    read: HashMap<Vec<String>, Keys>,
}

impl Shelf<'_> {
    /// The keys of these files and their records, or what is wrong with which of them.
    fn read(&mut self, items: &[Item], ui: &mut Ui<'_>) -> Result<Keys, (Failure, Item)> {
        let names: Vec<String> = items.iter().map(|item| item.text.clone()).collect();
        if let Some(known) = self.read.get(&names) {
            return Ok(known.clone());
        }
        let mut files = Vec::new();
        for item in items {
            if item.text == "-" {
                let failure = Failure::wrong("a list names files, not standard input");
                return Err((failure, item.clone()));
            }
            let path = self.folder.join(&item.text);
            let read = inputs::read_keys(&[path], self.passphrase_file)
                .map_err(|failure| (failure, item.clone()))?;
            files.extend(read);
        }
        let records = inputs::records(&files, self.params, ui);
        let records = match (records, items.first()) {
            (Ok(records), _) => records,
            (Err(failure), Some(first)) => return Err((failure, first.clone())),
            (Err(_), None) => Vec::new(),
        };
        let found = (Rc::new(files), records);
        self.read.insert(names, found.clone());
        Ok(found)
    }
}

fn targets_of(line: &Line) -> Result<Vec<(Target, Place)>, (Failure, Place)> {
    let mut ports: Vec<Port> = Vec::new();
    for item in &line.ports {
        ports.push(
            item.text
                .parse()
                .map_err(|error| (Failure::wrong(error), item.place))?,
        );
    }
    let mut found = Vec::new();
    for item in &line.hosts {
        let wrong = |failure| (failure, item.place);
        let host = options::host(&item.text).map_err(wrong)?;
        for target in Target::combine(&[host], &ports) {
            target.owner().map_err(|error| {
                wrong(Failure::wrong(format!(
                    "the TLSA owner of {} is no name: {error}",
                    target.base()
                )))
            })?;
            found.push((target, item.place));
        }
    }
    Ok(found)
}
