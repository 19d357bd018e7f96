//! What real servers survive when they are killed and mistreated under load, row by row.
//!
//! Each row is a test: nothing is ever spent twice, and fresh grants work again by themselves. With
//! `FAREBOX_REGENERATE=1` the test `the_table_has_every_row` runs them all, and writes docs/faults.md.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what went wrong by panicking"
)]

#[allow(dead_code, reason = "each test binary uses its part of the fleet")]
mod fleet;

mod faults {
    pub(crate) mod ground;
    #[macro_use]
    mod table;
    mod calls;
    mod many;
    mod pair;
    mod single;

    rows! {
        single {
            restart_without_persistence
            sigkill_with_aof_everysec
            sigkill_with_aof_always
            power_loss_with_aof_everysec
            power_loss_with_aof_always
            flushall
            eviction_under_allkeys_lru
            reloaded_in_the_same_process
            databases_swapped
            journal_restored_from_a_dump
            pointer_forged
            journal_deleted
            journal_forged
            journal_trimmed
            functions_killed
            library_reloaded
            library_missing
            library_of_another_version_beside
            cut_before_the_request
            cut_before_the_reply
            cut_in_the_reply
            replies_swallowed
            replies_shifted
            requests_delivered_twice
            slower_than_the_deadline
            frozen_and_resumed
            clients_paused
            out_of_memory
            clock_forward_and_back
            clock_back
            issuers_clock_back
        }
        calls {
            functions_killed_mid_call
            scripts_killed
            policies_swapped
            ten_thousand_claimants
            loading_its_file
            registers_delivered_twice
        }
        pair {
            lagging_replica_promoted
            old_master_resumed
            both_serve
            there_and_back
            there_and_back_with_a_revocation
            revoked_before_the_failover
            full_resync
            diskless_swapdb
            diskless_on_empty
            delivered_to_two_masters
            registers_delivered_to_two_masters
        }
        many {
            spread_one_killed
            spread_one_frozen
            spread_rolling_restarts
            quorum_one_killed
            quorum_one_frozen
            quorum_one_restarted_empty
            quorum_two_restarted_empty
            quorum_two_killed_then_back
            quorum_rolling_restarts
            quorum_over_different_majorities
            quorum_revoked_while_one_is_away
        }
    }

    /// The page is made of what the rows say.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn the_table_has_every_row() {
        #[expect(clippy::disallowed_methods, reason = "regenerating is asked for, never a default")]
        if std::env::var("FAREBOX_REGENERATE").is_ok() {
            let rows = all().await;
            table::write(&rows, &ground::server().await);
        }
        table::has_every_row(COUNT);
    }
}
