//! Hashes passwords slowly, so that they are hard to guess: 20 ms and 19 MiB each. The memory is
//! reused, since the allocator does not return all of such large blocks to the system.

use std::io;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::try_generate_salt;
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::chat::Password;

/// The hash that is checked for unknown names, so that they take as long.
pub(super) const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$Y2hpbndhZyBub2JvZHk$\
    4Di2FDrq2vNUOAtjBf1ws6Xk0OIJyvb8xcyCuo6q1rY";

/// Bytes of a new hash.
const LENGTH: usize = 32;

/// The most that a hash from a file may cost: KiB of memory, which is 64 MiB,
const MEMORY_MAX: u32 = 64 << 10;
/// passes over that memory,
const PASSES_MAX: u32 = 16;
/// and lanes of argon2, which are computed one after another.
const LANES_MAX: u32 = 4;

/// Hashes passwords, and checks them against hashes.
#[derive(Default)]
pub(super) struct Hasher {
    memory: Vec<Block>,
}

impl Hasher {
    /// Hashes a password with a new salt, in the PHC string format.
    pub(super) fn hash(&mut self, password: &Password) -> io::Result<String> {
        let params = Params::new(19_456, 2, 1, None).map_err(io::Error::other)?;
        let salt = try_generate_salt().map_err(io::Error::other)?;
        let salt = Salt::new(&salt).map_err(io::Error::other)?;
        let phc = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(io::Error::other)?,
            hash: Some(self.compute(password, &salt, params, LENGTH)?),
            salt: Some(salt),
        };
        Ok(phc.to_string())
    }

    /// Whether a hash is that of a password, by the hash's own parameters.
    pub(super) fn is_of(&mut self, hash: &str, password: &Password) -> bool {
        let Ok(PasswordHash { params, salt: Some(salt), hash: Some(hash), .. }) =
            PasswordHash::new(hash)
        else {
            return false;
        };
        let Ok(params) = Params::try_from(&params) else { return false };
        // The comparison takes the same time wherever the two differ.
        self.compute(password, &salt, params, hash.len()).is_ok_and(|own| own == hash)
    }

    fn compute(
        &mut self,
        password: &Password,
        salt: &Salt,
        params: Params,
        len: usize,
    ) -> io::Result<Output> {
        self.memory.resize(params.block_count(), Block::default());
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = &mut bytes[..len];
        argon2
            .hash_password_into_with_memory(password.as_bytes(), salt, bytes, &mut self.memory)
            .map_err(io::Error::other)?;
        Output::new(bytes).map_err(io::Error::other)
    }
}

/// Checks that a hash can be verified and does not cost too much. Its parameters decide the cost
/// of a check, and a peer can ask for checks without knowing the password.
///
/// # Errors
///
/// What is wrong, to follow the subject of the sentence.
pub(super) fn check(text: &str) -> Result<(), String> {
    let params = PasswordHash::new(text).ok().and_then(|hash| {
        let is_argon2id = hash.algorithm.as_str() == "argon2id"
            && hash.version == Some(Version::V0x13.into())
            && hash.salt.is_some()
            && hash.hash.is_some();
        Params::try_from(&hash.params).ok().filter(|_| is_argon2id)
    });
    let params = params.ok_or("has no argon2id hash in the PHC format")?;
    for (name, value, most) in [
        ("m", params.m_cost(), MEMORY_MAX),
        ("t", params.t_cost(), PASSES_MAX),
        ("p", params.p_cost(), LANES_MAX),
    ] {
        if value > most {
            return Err(format!("has a hash with {name}={value}; at most {most} is allowed"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::new(text).unwrap()
    }

    #[test]
    fn the_hash_for_unknown_names_costs_as_much_as_others() {
        let mine = Hasher::default().hash(&password("12345678")).unwrap();
        let (mine, nobodys) =
            (PasswordHash::new(&mine).unwrap(), PasswordHash::new(NOBODY).unwrap());
        assert_eq!(mine.params.to_string(), nobodys.params.to_string());
        assert_eq!((mine.algorithm, mine.version), (nobodys.algorithm, nobodys.version));
        assert_eq!(mine.hash.unwrap().len(), nobodys.hash.unwrap().len());
        assert_eq!(mine.params.to_string(), "m=19456,t=2,p=1");
    }

    #[test]
    fn a_hash_is_that_of_one_password_whatever_its_parameters() {
        let mut hasher = Hasher::default();
        let hash = hasher.hash(&password("12345678")).unwrap();
        assert_ne!(hash, hasher.hash(&password("12345678")).unwrap());
        // RustCrypto's own, with less memory.
        let cheap = Argon2::from(Params::new(64, 1, 1, Some(16)).unwrap());
        let cheap = argon2::PasswordHasher::hash_password(&cheap, b"12345678").unwrap().to_string();
        for hash in [&hash, &cheap, &hash] {
            assert!(check(hash).is_ok() && hasher.is_of(hash, &password("12345678")), "{hash}");
            assert!(!hasher.is_of(hash, &password("12345679")), "{hash}");
        }
        for text in [
            "",
            "secret",
            "$argon2id$v=19$m=64,t=1,p=1",
            "$argon2id$v=16$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ",
            "$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$c2FsdHNhbHQ",
        ] {
            let why = check(text).unwrap_err();
            assert_eq!(why, "has no argon2id hash in the PHC format", "{text}");
            assert!(!hasher.is_of(text, &password("12345678")), "{text}");
        }
    }

    #[test]
    fn the_cost_of_a_check_is_bounded() {
        let with = |params: &str| check(&NOBODY.replace("m=19456,t=2,p=1", params));
        assert_eq!(with("m=65536,t=16,p=4"), Ok(()));
        for (params, why) in [
            ("m=4294967295,t=2,p=1", "m=4294967295; at most 65536"),
            ("m=65537,t=2,p=1", "m=65537; at most 65536"),
            ("m=19456,t=4294967295,p=1", "t=4294967295; at most 16"),
            ("m=19456,t=17,p=1", "t=17; at most 16"),
            ("m=19456,t=2,p=5", "p=5; at most 4"),
        ] {
            assert_eq!(with(params), Err(format!("has a hash with {why} is allowed")));
        }
    }
}
