//! [`Pack`](super::Pack) for a struct or an enum, from one list of what is packed.

/// Implements [`Pack`](crate::pack::Pack). Fields are packed in the order in which they stand here,
/// and an enum as the number of its variant and then that one's fields. A field or a variant that is
/// forgotten does not compile.
///
/// - What stands behind `;` is not packed, and has that value after unpacking.
/// - `name by function` is unpacked by that function, which may refuse it.
/// - Behind `else` stands what there is none of, for the error, if a variant's number is unknown.
///
/// Numbers and order are the format: what has been released keeps both.
macro_rules! impl_pack {
    (struct $type:ident ($field:ident)) => {
        impl $crate::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                let $type($field) = self;
                to.put($field);
            }

            fn unpack(
                from: &mut $crate::pack::Unpacker<'_>,
            ) -> Result<Self, $crate::pack::Damaged> {
                Ok($type(from.get()?))
            }
        }
    };
    (
        $([$id:ident: $($bound:tt)+])? struct $type:ty {
            $($field:ident $(by $read:ident)?),* $(; $($left:ident = $value:expr),*)? $(,)?
        }
    ) => {
        impl $(<$id: $($bound)+>)? $crate::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                let Self { $($field,)* $($($left: _,)*)? } = self;
                to$(.put($field))*;
            }

            fn unpack(
                from: &mut $crate::pack::Unpacker<'_>,
            ) -> Result<Self, $crate::pack::Damaged> {
                Ok(Self {
                    $($field: $crate::pack::impl_pack!(get from $($read)?),)*
                    $($($left: $value,)*)?
                })
            }
        }
    };
    (
        $([$id:ident: $($bound:tt)+])? enum $type:ty {
            $($number:literal => $variant:ident
                $(($($item:ident $(by $read_item:ident)?),*))?
                $({ $($field:ident $(by $read:ident)?),* })?
            ),* $(,)?
        }
        else $what:literal
    ) => {
        impl $(<$id: $($bound)+>)? $crate::pack::Pack for $type {
            fn pack(&self, to: &mut $crate::pack::Packer) {
                match self {
                    $(Self::$variant $(($($item),*))? $({ $($field),* })? => {
                        to.tag($number)$($(.put($item))*)?$($(.put($field))*)?;
                    })*
                }
            }

            fn unpack(
                from: &mut $crate::pack::Unpacker<'_>,
            ) -> Result<Self, $crate::pack::Damaged> {
                Ok(match from.tag()? {
                    $($number => Self::$variant
                        $(($($crate::pack::impl_pack!(get from $($read_item)?)),*))?
                        $({ $($field: $crate::pack::impl_pack!(get from $($read)?)),* })?,
                    )*
                    _ => return Err(from.wrong($what)),
                })
            }
        }
    };
    (get $from:ident) => {
        $from.get()?
    };
    (get $from:ident $read:ident) => {
        $read($from)?
    };
}

pub(crate) use impl_pack;
