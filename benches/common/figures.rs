//! What several benches measure: lines under load, and what they cost the servers.

use super::driver::{DISORDERED, LOST};
use super::load::{Load, Outcome};
use super::options::Options;
use super::stats;
use super::table::{Cell, Column};
use std::io;
use std::time::Duration;

pub(crate) const COST: Column = Column::main("CPU us/line", 4);
pub(crate) const SERVER: Column = Column::new("server %", 0);
pub(crate) const GENERATOR: Column = Column::new("generator %", 0);

/// How long is measured, and for how long there is load before.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    pub(crate) warm_up: Duration,
    duration: Duration,
}

impl Times {
    pub(crate) fn new(options: &Options) -> Times {
        let times = if options.quick { [50, 150] } else { [500, 2000] };
        let [warm_up, duration] = times.map(Duration::from_millis);
        Times { warm_up, duration }
    }

    /// Puts a load on servers, whose CPU time `cpu` tells in microseconds: before what is
    /// measured, and after it.
    pub(crate) fn measure(
        self,
        load: &mut Load,
        mut cpu: impl FnMut() -> io::Result<f64>,
    ) -> io::Result<(Outcome, Cell)> {
        load.run(self.warm_up)?;
        let before = cpu()?;
        let outcome = load.run(self.duration)?;
        let cpu = cpu()? - before;
        let cell = vec![
            (COST, cpu / outcome.delivered),
            (SERVER, cpu / outcome.seconds / 1e4),
            (GENERATOR, 100.0 * outcome.busy),
            (LOST, stats::float(load.lost())),
            (DISORDERED, stats::float(load.disordered())),
        ];
        Ok((outcome, cell))
    }
}
