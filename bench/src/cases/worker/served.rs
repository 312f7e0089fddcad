//! A Worker, measured from outside.

use std::error::Error;
use std::fs;
use std::time::Instant;

use pymode_workerd::{Compiled, LocalWorkerd};

use super::BASELINE;
use crate::pair::Sample;

/// A Worker that can be started repeatedly.
pub(super) struct Served(Compiled);

impl Served {
    pub(super) fn new(compiled: Compiled) -> Self {
        Self(compiled)
    }

    pub(super) fn start(&self) -> Result<LocalWorkerd, Box<dyn Error>> {
        Ok(self.0.start()?)
    }

    /// Starts it and sends one request.
    fn first(&self) -> Result<First, Box<dyn Error>> {
        let start = Instant::now();
        let workerd = self.start()?;
        Client::new(&workerd).get("/")?;
        let waited = start.elapsed().as_secs_f64();
        Ok(First {
            cost: Cost {
                waited,
                computed: processor_seconds(workerd.pid())?,
            },
            memory: resident_bytes(workerd.pid())?,
        })
    }
}

/// Cost of a first answer.
struct First {
    cost: Cost,
    /// Memory in bytes afterwards.
    memory: f64,
}

/// Times first answers in turn.
pub(super) fn cold(
    runs: usize,
    what: &str,
    subject: &Served,
    baseline: &Served,
) -> Result<[Sample; 2], Box<dyn Error>> {
    subject.first()?;
    baseline.first()?;
    let firsts: Vec<(First, First)> = (0..runs)
        .map(|_| Ok((subject.first()?, baseline.first()?)))
        .collect::<Result<_, Box<dyn Error>>>()?;
    let mut memory: Vec<f64> = firsts
        .iter()
        .map(|(a, b)| (a.memory - b.memory) / 1e6)
        .collect();
    memory.sort_by(f64::total_cmp);
    eprintln!(
        "  {what}: {:.1} MB more than the baseline's",
        memory[memory.len() / 2]
    );
    let costs: Vec<(Cost, Cost)> = firsts.iter().map(|(a, b)| (a.cost, b.cost)).collect();
    let case = format!("cold start to first answer, {what}");
    Ok(samples(&case, "Python", BASELINE, &costs))
}

/// CPU time of all threads: excludes other work on the machine, includes compilation in the background.
fn processor_seconds(pid: u32) -> Result<f64, Box<dyn Error>> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let text = fs::read_to_string(task?.path().join("schedstat"))?;
        let first = text.split_whitespace().next().unwrap_or_default();
        nanoseconds += first.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

fn resident_bytes(pid: u32) -> Result<f64, Box<dyn Error>> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.ok_or("no VmRSS")?.parse::<f64>()? * 1024.0)
}

/// A persistent connection to a Worker.
pub(super) struct Client {
    agent: ureq::Agent,
    address: String,
    pid: u32,
}

/// Time in seconds.
#[derive(Clone, Copy)]
pub(super) struct Cost {
    /// Wall time.
    pub(super) waited: f64,
    /// CPU time.
    pub(super) computed: f64,
}

impl Cost {
    /// Each file of `parts` that this Worker has and `other` has not.
    pub(super) fn more_than(self, other: Cost, parts: usize) -> Cost {
        let each = |a: f64, b: f64| (a - b).max(1e-9) / parts as f64;
        Cost {
            waited: each(self.waited, other.waited),
            computed: each(self.computed, other.computed),
        }
    }
}

impl Client {
    pub(super) fn new(workerd: &LocalWorkerd) -> Self {
        Self {
            agent: ureq::Agent::config_builder().proxy(None).build().into(),
            address: workerd.address().to_string(),
            pid: workerd.pid(),
        }
    }

    fn get(&self, path: &str) -> Result<String, Box<dyn Error>> {
        let url = format!("http://{}{path}", self.address);
        Ok(self.agent.get(url).call()?.body_mut().read_to_string()?)
    }

    /// Time of each of `count` sequential requests.
    pub(super) fn each(&self, path: &str, count: u32) -> Result<Cost, Box<dyn Error>> {
        let computed = processor_seconds(self.pid)?;
        let start = Instant::now();
        for _ in 0..count {
            self.get(path)?;
        }
        let cost = Cost {
            waited: start.elapsed().as_secs_f64() / f64::from(count),
            computed: (processor_seconds(self.pid)? - computed) / f64::from(count),
        };
        Ok(cost)
    }
}

/// Two samples, of wall time and of CPU time.
pub(super) fn samples(
    case: &str,
    subject: &str,
    baseline: &str,
    costs: &[(Cost, Cost)],
) -> [Sample; 2] {
    let sample = |what: &str, pick: fn(&Cost) -> f64| Sample {
        case: format!("{case}{what}"),
        subject: subject.into(),
        baseline: baseline.into(),
        pairs: costs.iter().map(|(a, b)| (pick(a), pick(b))).collect(),
    };
    [
        sample("", |cost| cost.waited),
        sample(", processor time", |cost| cost.computed),
    ]
}
