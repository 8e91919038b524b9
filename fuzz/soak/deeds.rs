//! What clients do all the time, each at its own rate: talk, leave and come back, run
//! errands.

use crate::client::{Asked, Stage};
use crate::plan::{self, LOBBY, Place, Plan};
use crate::town::Town;
use std::io;
use std::time::{Duration, Instant};

/// Lines a second in a talkative room.
const LOUD_RATE: u32 = 20;

/// One client in so many says a line each second, leaves, or runs an errand. One in a
/// hundred leaving is the churn.
const TALK_SHARE: usize = 100;
const CHURN_SHARE: usize = 100;
const ERRAND_SHARE: usize = 500;

/// So many lines were said in each room before the soak begins, as many as are kept:
/// otherwise filling histories would look like memory that is lost.
const PAST: usize = 200;
const PAST_AT_ONCE: usize = 20;

/// So many may be arriving at once in the beginning, and all may take so long.
const ARRIVING_MAX: usize = 128;
const BEGIN_MAX: Duration = Duration::from_mins(3);

/// So often somebody is drawn who can do what is to be done; most can.
const TRIES: usize = 8;

const LOOK_AROUND: Duration = Duration::from_secs(1);
const TURN: Duration = Duration::from_millis(5);

/// What falls due again and again.
struct Beat {
    next: Instant,
    every: Duration,
}

impl Beat {
    fn new(every: Duration) -> Beat {
        Beat { next: Instant::now() + every, every }
    }

    fn per_second(count: u32) -> Beat {
        Beat::new(Duration::from_secs(1) / count.max(1))
    }

    /// Whether it is due once more. What has been missed for a second is left out.
    fn is_due(&mut self, now: Instant) -> bool {
        if self.next > now {
            return false;
        }
        self.next =
            (self.next + self.every).max(now.checked_sub(Duration::from_secs(1)).unwrap_or(now));
        true
    }
}

pub(crate) struct Deeds {
    loud: Beat,
    talk: Beat,
    churn: Beat,
    errands: Beat,
    look_around: Beat,
}

impl Deeds {
    pub(crate) fn new(plan: &Plan) -> Deeds {
        let share = |share| {
            Beat::per_second(u32::try_from(plan.clients() / share).expect("clients are few"))
        };
        let talkative = u32::try_from(plan.talkative().len()).expect("rooms are few");
        Deeds {
            loud: Beat::per_second(LOUD_RATE * talkative),
            talk: share(TALK_SHARE),
            churn: share(CHURN_SHARE),
            errands: share(ERRAND_SHARE),
            look_around: Beat::new(LOOK_AROUND),
        }
    }

    /// One turn: what has come, and what is due.
    pub(crate) fn turn(&mut self, town: &mut Town) -> io::Result<()> {
        let now = Instant::now();
        let beats = [&self.loud, &self.talk, &self.churn, &self.errands];
        let next = beats.iter().map(|beat| beat.next).min().unwrap_or(now);
        town.turn(next.saturating_duration_since(now).min(TURN))?;
        let now = Instant::now();
        while self.loud.is_due(now) {
            let talkative = town.plan.talkative();
            let room = talkative.start + town.chance.below(talkative.len());
            say_in(town, room);
        }
        while self.talk.is_due(now) {
            let id = town.chance.below(town.clients.len());
            let home = town.plan.home(id);
            if !town.plan.places[home].is_talkative() {
                say(town, id);
            }
        }
        while self.churn.is_due(now) {
            depart(town);
        }
        while self.errands.is_due(now) {
            run_errand(town);
        }
        while self.look_around.is_due(now) {
            town.look_around();
        }
        Ok(())
    }
}

/// Somebody of whom this is true, if a few tries find one.
fn find(town: &mut Town, is_wanted: impl Fn(&Town, usize) -> bool) -> Option<usize> {
    let count = town.clients.len();
    for _ in 0..TRIES {
        let id = town.chance.below(count);
        if is_wanted(town, id) {
            return Some(id);
        }
    }
    None
}

fn say_in(town: &mut Town, room: usize) {
    let members = town.plan.places[room].members.clone();
    let mut one_of_them = || members.start + town.chance.below(members.len());
    let speaker = (0..TRIES).map(|_| one_of_them()).find(|id| town.clients[*id].is_free());
    if let Some(id) = speaker {
        say(town, id);
    }
}

/// Says a line at home, if the client is there.
fn say(town: &mut Town, id: usize) {
    if !town.clients[id].is_free() {
        return;
    }
    let (number, text) = town.rooms[town.plan.home(id)].next();
    let me = if number.is_multiple_of(10) { "/me " } else { "" };
    town.tally.said += 1;
    town.clients[id].echoes.push_back(number);
    town.send(id, &format!("{me}{text}\n"));
}

/// Somebody leaves, in one of the ways that there are, sometimes with a word on the lips.
/// Who never reads can only vanish.
fn depart(town: &mut Town) {
    let is_there = |town: &Town, id: usize| {
        town.clients[id].is_free() || town.clients[id].stage == Stage::Stalled
    };
    let Some(id) = find(town, is_there) else { return };
    town.tally.departed += 1;
    if town.clients[id].stage == Stage::Stalled {
        return town.reset(id);
    }
    if town.chance.below(3) == 0 {
        say(town, id);
    }
    match town.chance.below(5) {
        0 => town.take_leave(id, Some("/exit\n")),
        1 => town.take_leave(id, Some("quit\n")),
        2 => town.take_leave(id, None),
        3 => town.reset(id),
        _ => town.drop_for_now(id),
    }
}

fn run_errand(town: &mut Town) {
    let Some(id) = find(town, |town, id| town.clients[id].is_free()) else { return };
    match town.chance.below(6) {
        0 => town.ask(id, "/history 50\n/up done\n", [Asked::Done]),
        1 => town.ask(id, "/resume\n", [Asked::Token]),
        2 => town.ask(id, "/notices on\n", [Asked::Notices]),
        // To a room that is made for that, and goes when it is left.
        3 if town.plan.home(id) != LOBBY => {
            let home = &town.plan.places[town.plan.home(id)].name;
            let lines = format!("/join by-{id}\n/join {home}\n/up done\n");
            town.ask(id, &lines, [Asked::Room, Asked::Room, Asked::Done]);
        }
        _ => {
            // Who is written to may be away, or not read.
            let other = town.chance.below(town.clients.len());
            if other != id {
                let line = format!("/msg {} psst\n", plan::client_name(other));
                town.ask(id, &line, [Asked::Message]);
            }
        }
    }
}

/// Brings everybody in: first one a room, who gives it a past, then the others.
pub(crate) fn begin(town: &mut Town) -> io::Result<()> {
    let founders: Vec<usize> = town.plan.places.iter().map(Place::founder).collect();
    bring_in(town, &founders)?;
    for _ in 0..PAST.div_ceil(PAST_AT_ONCE) {
        for id in &founders {
            (0..PAST_AT_ONCE).for_each(|_| say(town, *id));
            town.turn(Duration::ZERO)?;
        }
        wait_until(town, BEGIN_MAX, |town| town.count(|client| !client.echoes.is_empty()) == 0)?;
    }
    let others = (0..town.clients.len()).filter(|id| founders.binary_search(id).is_err());
    bring_in(town, &others.collect::<Vec<_>>())
}

fn bring_in(town: &mut Town, ids: &[usize]) -> io::Result<()> {
    let mut coming = ids.iter();
    while !coming.as_slice().is_empty() {
        let arriving = town.count(|client| client.stage == Stage::Arriving);
        for id in coming.by_ref().take(ARRIVING_MAX.saturating_sub(arriving)) {
            town.connect(*id)?;
        }
        town.turn(TURN)?;
    }
    let is_in = |stage| matches!(stage, Stage::In | Stage::Stalled);
    wait_until(town, BEGIN_MAX, |town| ids.iter().all(|id| is_in(town.clients[*id].stage)))
}

/// Everybody leaves: one half says so, the other does not. Who never reads just goes.
pub(crate) fn end(town: &mut Town) -> io::Result<()> {
    town.end();
    for id in 0..town.clients.len() {
        match town.clients[id].stage {
            Stage::In if id % 4 == 0 => town.take_leave(id, Some("/exit\n")),
            Stage::In if id % 4 == 1 => town.take_leave(id, None),
            Stage::In if id % 4 == 2 => town.reset(id),
            Stage::Away | Stage::Leaving => {}
            _ => town.drop_for_now(id),
        }
        if id % ARRIVING_MAX == 0 {
            town.turn(Duration::ZERO)?;
        }
    }
    wait_until(town, BEGIN_MAX, |town| town.count(|client| client.stage != Stage::Away) == 0)
}

fn wait_until(town: &mut Town, most: Duration, is_so: impl Fn(&Town) -> bool) -> io::Result<()> {
    let start = Instant::now();
    let mut last_look = start;
    while !is_so(town) {
        town.turn(TURN)?;
        if last_look.elapsed() > LOOK_AROUND {
            last_look = Instant::now();
            town.look_around();
        }
        if start.elapsed() > most {
            return Err(io::Error::other("the server does not answer everybody"));
        }
    }
    Ok(())
}
