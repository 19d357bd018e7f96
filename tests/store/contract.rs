//! The tests of a store: one of each function that the nouns' files hold.
//!
//! A function that stands in no list is dead code, and the compiler says so.

/// Makes the tests that every store passes, for the [`Subject`](super::subject::Subject) that the
/// expression makes anew each time; the verifier's own are among them.
macro_rules! grant_store_contract {
    ($subject:expr) => {
        mod verifier {
            #[allow(
                unused_imports,
                reason = "the expression names what stands around the macro"
            )]
            use super::*;

            farebox_verifier::spend_store_contract!(crate::store::subject::Verifying($subject));
        }

        contract_tests! { $subject;
            register {
                numbers_grow
                a_grant_is_registered_in_the_life_that_the_journal_tells_of
                a_refused_grant_takes_no_number
                the_journal_says_what_was_registered
                a_grant_that_has_ended_is_refused
                a_grant_that_lasts_longer_than_any_token_is_refused
                a_grant_without_a_workflow_is_one_like_others
                names_as_long_as_names_may_be_are_kept_whole
            }
            spend {
                a_grant_is_spent_at_about_the_time_it_is
                whoever_comes_late_is_told_when_it_was_spent
                a_repeat_says_when_it_was_spent_and_that_it_is_one
                a_number_that_was_never_given_is_unknown
                a_grant_of_another_life_is_fenced
                a_grant_of_another_shard_is_refused
                a_grant_of_another_store_is_unknown
                a_grant_that_is_registered_nowhere_is_unknown
                a_grant_that_needs_two_stores_is_not_spent_in_one
                another_content_is_unknown_and_reported
                a_grant_under_another_grants_number_is_unknown
                no_content_is_the_mark_of_a_claimant
                a_narrowed_copy_ends_earlier_and_the_whole_does_not
                a_repeat_is_for_the_life_of_the_copy_that_asks
                an_ended_grant_says_what_time_it_is
            }
            settle {
                every_outcome_is_told_as_it_was_said
                the_first_outcome_stands_against_every_other
                a_settled_grant_is_dead_whoever_asks
                an_unspent_grant_is_settled_by_nobody_and_stays_unspent
                another_content_settles_nothing
                an_ended_grant_is_settled
                a_revoked_grant_that_was_spent_is_settled
                a_narrowed_copy_settles_what_the_whole_spent
                settling_one_grant_settles_no_other
            }
            revoke {
                an_unspent_grant_is_found_unspent_and_never_spent
                a_spent_grant_is_found_spent_and_gives_no_repeat
                a_settled_grant_is_found_as_it_was_settled
                a_revoked_grant_that_is_settled_is_found_settled
                a_grant_that_nobody_registered_is_unknown_and_stays_so
                one_grant_is_revoked_and_no_other
                each_selector_revokes_what_it_names_and_nothing_else
                all_is_every_grant_that_is_registered_by_now
                the_policy_in_force_can_be_revoked_and_goes_on
                one_name_of_two_kinds_is_two
                a_grant_without_a_workflow_is_in_no_workflow
                spent_grants_that_a_selector_names_repeat_no_more_and_settle
                revoked_again_a_selector_reaches_what_came_since
                a_name_that_no_grant_has_is_revoked_for_nobody
                a_grant_that_its_selector_revoked_is_found_unspent
                many_selectors_are_revoked_at_once
            }
            block {
                each_selector_blocks_what_it_names_and_nothing_else
                all_and_the_policy_block_everything
                one_grant_is_blocked_by_its_id
                outstanding_grants_live_on
                two_blocks_are_lifted_one_by_one
                blocked_twice_is_lifted_once_and_told_once
                a_grant_without_a_workflow_is_blocked_by_none
            }
            policy {
                nothing_is_registered_that_another_set_allowed
                grants_of_the_old_set_are_revoked
                grants_of_the_old_set_are_kept_where_that_is_said
                a_set_that_comes_back_brings_no_grant_back
                a_set_that_comes_back_finds_the_grants_that_were_kept
                the_set_in_force_is_set_again_for_nobody
                the_journal_says_which_set_replaced_which
            }
            predecessor {
                a_grant_waits_until_the_one_before_has_succeeded
                no_other_outcome_lets_it_go
                nothing_is_registered_after_what_did_not_succeed
                what_has_succeeded_is_waited_for_no_more
                a_revoked_grant_is_no_predecessor
                a_revoked_grant_that_succeeded_all_the_same_is_one
                what_a_selector_revoked_is_waited_for_in_vain
                revoking_the_successor_says_so_first
                a_chain_is_spent_in_its_order
                all_that_come_before_must_have_succeeded
                there_are_as_many_as_may_be
                a_predecessor_elsewhere_is_refused
            }
            abandon {
                an_abandoned_id_is_never_registered
                a_grant_abandoned_after_its_registration_is_never_spent
                the_journal_says_it_once
            }
            budget {
                what_is_taken_is_not_left
                one_too_many_is_refused_and_takes_nothing
                one_grant_takes_once_however_often_it_asks
                a_limit_that_was_lowered_leaves_nothing
                budgets_of_two_values_do_not_touch
                one_grant_takes_of_several_budgets
                a_hold_is_given_back_once
                a_hold_that_was_given_back_is_not_taken_again
                what_was_never_held_gives_nothing_back
                what_is_given_back_is_what_was_taken
                amounts_are_what_json_readers_agree_on
                sums_of_great_amounts_are_exact
                a_limit_of_nothing_lets_nothing_be_taken
                a_new_window_counts_from_nothing
                budgets_are_closed_until_they_are_opened
                what_was_held_before_this_life_is_counted_once
                a_hold_that_was_restored_without_room_is_not_confirmed
            }
            lease {
                a_lease_is_given_to_one
                its_holder_has_it_for_longer_under_its_number
                a_lease_that_is_over_is_anybodys_under_a_greater_number
                names_are_leased_apart
                no_lease_is_empty_or_lasts_for_ever
                there_are_as_many_as_may_be
                another_life_leases_nothing_here
                the_journal_says_who_had_it
            }
            journal {
                a_life_begins_with_its_opening
                each_transition_is_one_event
                refused_uses_are_no_events
                refused_grants_are_no_events
                only_the_first_replay_is_told
                a_replay_is_told_once_whatever_comes_between
                forgeries_are_told_while_a_grant_is_unspent
                a_flood_of_forgeries_is_told_once
                a_flood_of_repeats_comes_to_an_end
                events_have_the_stores_time_and_it_goes_forward
                events_are_read_after_a_number
                a_long_journal_is_read_in_parts
                another_life_has_no_journal_here
                what_was_drained_is_gone_and_nothing_else
                a_drained_grant_is_as_alive_as_before
                only_who_has_the_lease_trims_and_lapses
                a_lease_that_is_over_trims_nothing
                what_is_not_drained_yet_is_a_number
                a_change_of_policies_is_one_event
                a_life_that_goes_on_is_neither_closed_nor_forgotten
            }
            lapse {
                due_is_exactly_what_is_over
                an_ended_grant_expires_once
                what_is_not_over_is_not_ended
                what_has_ended_otherwise_is_left_as_it_is
                each_of_many_is_judged_by_itself
                an_expired_grant_is_no_predecessor
                many_that_are_due_come_in_parts
            }
            drain {
                everything_is_kept_in_its_order_and_then_let_go
                a_round_goes_on_where_the_last_one_stopped
                what_is_not_kept_is_not_let_go
                a_drain_that_dies_before_it_lets_go_loses_nothing
                a_drain_that_comes_back_goes_on
                of_two_drains_one_drains
                a_lease_that_was_lost_lets_go_of_nothing
                what_is_over_is_said_to_be
                many_events_come_in_bounded_parts
            }
            hand_back {
                what_did_nothing_gives_back_what_was_held
                what_may_have_done_something_gives_nothing_back
                what_ended_unspent_gives_back_what_was_held
                what_was_revoked_unspent_gives_back_what_was_held
                what_a_selector_revoked_gives_back_at_its_end
                what_nobody_settled_gives_nothing_back
                one_store_does_not_speak_for_two
                what_is_brought_again_is_given_back_once
                what_is_not_kept_is_given_back_later
                a_grant_without_a_hold_gives_nothing_back
            }
            view {
                a_grant_is_shown_as_it_was_registered
                what_nobody_registered_is_not_shown
                what_a_grant_waits_for_is_shown
                each_selector_lists_what_it_names
                selectors_together_list_what_all_of_them_name
                each_standing_lists_what_stands_so
                a_standing_and_a_selector_list_what_both_say
                pages_cover_everything_once_and_in_order
                pages_cover_everything_once_while_more_is_registered
                a_page_is_never_longer_than_a_page
                a_history_says_what_happened_in_its_order
                the_time_of_a_use_is_what_its_claimant_was_told
                what_a_selector_revoked_is_shown_as_revoked
                a_change_of_policies_shows_what_it_revoked
                refusals_are_not_shown
            }
            race {
                of_ten_thousand_claimants_one_gets_the_use
                of_one_attempt_sent_often_one_is_the_first
                a_grant_is_revoked_unspent_or_spent_and_never_both
                nothing_is_spent_after_its_selector_was_revoked
                nothing_of_the_old_set_is_spent_after_a_change
                of_two_outcomes_one_is_settled
                a_successor_is_spent_only_behind_its_predecessor
            }
            crowd {
                nothing_is_registered_after_a_block
                nothing_of_the_old_set_is_registered_after_a_change
                many_that_are_registered_at_once_have_a_number_each
                two_hundred_who_take_are_never_one_over
                one_grant_that_asks_often_takes_once
                of_many_who_want_a_lease_one_has_it
                what_is_abandoned_while_it_is_registered_is_dead
                a_drain_misses_nothing_while_more_happens
            }
            token {
                what_is_registered_is_what_its_verifier_presents
                a_token_is_spent_and_settled_once
                a_revoked_token_is_refused
                a_token_that_nobody_registered_is_refused
            }
        }
    };
}

/// Makes those for a store whose clock the test moves.
macro_rules! grant_store_clock_contract {
    ($subject:expr) => {
        contract_tests! { $subject;
            clock {
                a_grant_lasts_to_its_end
                an_end_is_within_reach_of_the_clock
                a_clock_set_back_revives_nothing
                a_life_goes_on_over_a_small_step_back
                a_life_ends_with_a_great_step_back
                a_spent_grant_that_nobody_settles_is_unknown
                what_became_unknown_stays_so
                a_grant_is_settled_for_as_long_as_it_may_be
                what_is_forgotten_is_refused
                what_is_forgotten_is_shown_to_nobody
                what_is_forgotten_leaves_no_number_to_be_given_again
                what_succeeded_is_remembered_for_whoever_waits
                a_revocation_lasts_as_long_as_what_it_revoked
                a_window_begins_where_the_one_before_ends
                a_hold_is_given_back_into_its_own_window
                a_clock_set_back_opens_no_window_again
                windows_of_two_lengths_end_apart
                a_lease_lasts_to_its_end
            }
        }
    };
}

/// Makes those for a store whose life the test ends.
macro_rules! grant_store_ending_contract {
    ($subject:expr) => {
        contract_tests! { $subject;
            ended {
                a_closed_life_is_drained_to_its_last_word_and_forgotten
                a_life_that_was_drained_before_it_ended_is_forgotten
                a_life_that_is_over_waits_for_its_archive
                lives_that_ended_one_after_the_other_are_all_drained
                what_a_life_that_is_over_called_unspent_gives_nothing_back
                nothing_of_a_life_that_is_over_lapses
            }
        }
    };
}

/// Makes a test of each function named.
macro_rules! contract_tests {
    ($subject:expr; $($noun:ident { $($test:ident)* })*) => {$(
        mod $noun {
            #[allow(unused_imports, reason = "the expression names what stands around the macro")]
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
                async fn $test() {
                    crate::store::$noun::$test(&$subject).await;
                }
            )*
        }
    )*};
}
