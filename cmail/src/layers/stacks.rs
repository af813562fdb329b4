//! The whole mail server, top to bottom, once for each way of finding a free name.

use cspec::prelude::*;

use super::*;

/// Plan 1: the caller lists the numbers that it has used.
#[stack]
pub type ListPid<Files> = PerUser<
    HideLock<
        AtomicReader<
            GhostOwner<
                AtomicDeliver<
                    LinkNext<FilterList<Encoded<OwnNames<Directories<Paths<MergedByUser<FollowNames<Files>>>>>>>>,
                >,
            >,
        >,
    >,
>;

/// Plan 2: the caller tries numbers until one is free.
#[stack]
pub type TryNumbers<Files> = PerUser<
    HideLock<
        AtomicReader<
            GhostOwner<
                AtomicDeliver<
                    LinkRetry<LinkRandom<Encoded<OwnNames<Directories<Paths<MergedByUser<FollowNames<Files>>>>>>>>,
                >,
            >,
        >,
    >,
>;
