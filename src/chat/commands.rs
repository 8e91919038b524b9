//! Parses a line into a command, or says what is wrong with it.

mod arguments;
mod command;
mod near;
mod secrets;
mod table;
#[cfg(test)]
mod tests;

pub(super) use arguments::split_word;
use arguments::{addressee, one_word};
pub(super) use command::{AccountCommand, Command, Mistake, OperatorCommand};
pub(super) use secrets::looks_secret;
use table::{Audience, HELP, Row, TABLE};

/// Words after a slash that users type from habit and that could mean a password or a name: they
/// do nothing.
const UNCLEAR: [&str; 2] = ["register", "unregister"];

/// Which commands a user has besides those of everybody.
#[derive(Clone, Copy)]
pub(super) struct Commands {
    pub(super) accounts: bool,
    pub(super) operators: bool,
}

impl Commands {
    /// Parses a sanitised line that is not blank. The order of the checks is part of the
    /// protocol: a private message must never be said to the room by mistake. So `is_here`
    /// decides whether the word after `SEND` is a user.
    pub(super) fn parse(
        self,
        line: &str,
        is_here: impl Fn(&str) -> bool,
    ) -> Result<Command<'_>, Mistake<'_>> {
        let is_doubled = line.starts_with("//");
        if let Some(command) = line.strip_prefix('/').filter(|_| !is_doubled) {
            return self.slash(command);
        }
        let (word, rest) = split_word(line);
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        let is_to_user = || {
            let rest = rest.trim_start();
            rest.starts_with('@') || is_here(addressee(split_word(rest).0))
        };
        if is("REGISTER") || (is("SEND") && is_to_user()) {
            let row = self.find(word)?;
            return (row.parse)(rest).ok_or(Mistake::Usage(row.usage));
        }
        // IRC's way to a name. Whoever types it wants that, and not to have it read by the room.
        if word == "NICK" && one_word(rest).is_some() {
            return Err(Mistake::Usage(self.find(word)?.usage));
        }
        // The slash is missing or doubled, or stands behind what a key has sent: it was meant to be
        // a private message.
        let bare = word.trim_matches(|c| !char::is_alphanumeric(c));
        let private = ["msg", "send"].into_iter().find(|it| it.eq_ignore_ascii_case(bare));
        if let Some(private) = private
            && is_to_user()
        {
            return Err(Mistake::Usage(self.find(private)?.usage));
        }
        if is_doubled {
            return Ok(Command::Say(&line[1..]));
        }
        if rest.is_empty() && (is("quit") || is("exit")) {
            return Ok(Command::Goodbye);
        }
        Ok(Command::Say(line))
    }

    /// Parses a line after its slash.
    fn slash(self, line: &str) -> Result<Command<'_>, Mistake<'_>> {
        let (name, rest) = split_word(line);
        if UNCLEAR.iter().any(|word| word.eq_ignore_ascii_case(name)) {
            return Ok(Command::Account(AccountCommand::Unclear));
        }
        let row = self.find(name)?;
        if !row.has_slash() {
            return Err(Mistake::Unknown(name));
        }
        (row.parse)(rest).ok_or(Mistake::Usage(row.usage))
    }

    /// The row of a command that the user has, by its name in any case.
    pub(super) fn find(self, name: &str) -> Result<&'static Row, Mistake<'_>> {
        let row = TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(name));
        match row {
            Some(row) if self.has(row.audience) => Ok(row),
            Some(Row { audience: Audience::Accounts, .. }) => Err(Mistake::NoAccounts),
            _ => Err(Mistake::Unknown(name)),
        }
    }

    /// A command with a name similar to an unknown one, of those that the user has.
    pub(super) fn near(self, name: &str) -> Option<&'static str> {
        near::near(name, TABLE.iter().filter(|row| self.has(row.audience)))
    }

    /// The lines of `/help`.
    pub(super) fn help(self) -> impl Iterator<Item = &'static str> {
        HELP.iter().filter(move |(audience, _)| self.has(*audience)).map(|(_, line)| *line)
    }

    fn has(self, audience: Audience) -> bool {
        match audience {
            Audience::Everybody => true,
            Audience::Accounts => self.accounts,
            Audience::Operators => self.operators,
        }
    }
}
