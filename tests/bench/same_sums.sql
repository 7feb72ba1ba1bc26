-- What the four views divide, straight from the log: a row for each metric and month, with both its sums.
--
-- It shares nothing with the facts or the engine of metrics. Beside `events` it needs: rates (currency, micros of the
-- reporting currency for a minor unit), codes (code, is_soft), months (first, after: those of the run), and one row of
-- span (as_of; settled and matured: until when invoices are; first_whole and after_whole: the months wholly inside).
-- It is for worlds without plan changes, refunds, disputes or a support desk, as the main scenario is.
WITH invoice AS MATERIALIZED (
  SELECT subscriber, invoice,
         min(occurred_at) FILTER (kind IN ('invoice.issued', 'invoice.imported')) AS issued_at,
         max(amount_minor) FILTER (kind IN ('invoice.issued', 'invoice.imported')) AS amount,
         max(tax_minor) FILTER (kind IN ('invoice.issued', 'invoice.imported')) AS tax,
         max(currency) FILTER (kind IN ('invoice.issued', 'invoice.imported')) AS currency,
         max(spell) AS spell,
         bool_or(kind = 'invoice.imported') AS is_imported,
         coalesce(max(initiator) FILTER (attempt = 1 AND latency_ms IS NOT NULL), 'mit') <> 'mit' AS is_signup,
         coalesce(bool_or(attempt = 1 AND method_kind IN ('credit', 'debit', 'prepaid', 'wallet')), false) AS is_by_card,
         max(occurred_at) FILTER (kind = 'payment.captured') AS captured_at,
         max(occurred_at) FILTER (kind = 'payment.returned') AS returned_at,
         max(occurred_at) FILTER (kind IN ('invoice.marked_uncollectible', 'invoice.voided')) AS given_up_at,
         bool_or(kind = 'invoice.voided') AS is_void,
         min(occurred_at) FILTER (kind = 'dunning.started') AS dunning_at,
         min(occurred_at) FILTER (kind = 'subscription.put_on_hold') AS held_at,
         max(occurred_at) FILTER (kind = 'subscription.put_on_hold') AS held_last_at,
         max(occurred_at) FILTER (kind = 'subscription.restored') AS restored_at,
         count(*) FILTER (kind = 'notice.sent') AS notices,
         count(*) FILTER (kind IN ('payment_attempt.authorized', 'payment_attempt.declined',
                                   'payment_attempt.outcome_unknown')) AS attempts,
         count(*) FILTER (initiator = 'mit' AND kind IN ('payment_attempt.authorized', 'payment_attempt.declined',
                                   'payment_attempt.outcome_unknown')) AS mit_attempts
  FROM events WHERE invoice > 0 GROUP BY subscriber, invoice
), bill AS MATERIALIZED (
  SELECT invoice.*, amount * micros AS value, tax * micros AS tax_value, issued_at <= matured AS is_matured,
         issued_at <= settled AS is_settled, given_up_at IS NOT NULL AND NOT is_void AS is_uncollectible,
         given_up_at IS NULL AND coalesce(captured_at > coalesce(returned_at, TIMESTAMP '1900-01-01'), false) AS is_paid,
         CASE WHEN NOT is_imported THEN dunning_at END AS failed_at
  FROM invoice JOIN rates USING (currency), span
), attempt AS MATERIALIZED (
  SELECT min(occurred_at) FILTER (kind IN ('payment_attempt.authorized', 'payment_attempt.declined',
                                           'payment_attempt.outcome_unknown')) AS answered_at,
         min(recorded_at) FILTER (kind IN ('payment_attempt.authorized', 'payment_attempt.declined',
                                           'payment_attempt.outcome_unknown')) AS recorded_at,
         max(latency_ms) FILTER (kind <> 'gateway_call.failed') AS latency_ms,
         max(amount_minor) AS amount,
         max(attempt) AS attempt,
         max(CASE WHEN latency_ms IS NOT NULL THEN initiator END) AS initiator,
         max(code) FILTER (kind IN ('payment_attempt.declined', 'payment_attempt.reconciled')) AS code,
         bool_or(kind = 'payment_attempt.authorized'
                 OR (kind = 'payment_attempt.reconciled' AND reason = 'authorized')) AS is_authorized,
         bool_or(kind = 'payment_attempt.declined'
                 OR (kind = 'payment_attempt.reconciled' AND reason <> 'authorized')) AS is_declined,
         bool_or(kind = 'payment_attempt.outcome_unknown') AS was_unknown,
         bool_or(kind = 'payment.returned') AS was_returned,
         count(*) FILTER (kind = 'gateway_call.failed') AS failed_calls,
         subscriber, invoice
  FROM events WHERE attempt IS NOT NULL AND kind <> 'invoice.imported' GROUP BY subscriber, invoice, attempt
), try AS MATERIALIZED (
  SELECT attempt.*, answered_at <= settled AS is_settled, coalesce(is_soft, false) AS is_soft
  FROM attempt LEFT JOIN codes USING (code), span WHERE answered_at IS NOT NULL
), spell AS MATERIALIZED (
  SELECT subscriber, spell, min(occurred_at) FILTER (kind IN ('subscription.imported', 'subscription.created')) AS began_at,
         max(occurred_at) FILTER (kind = 'subscription.canceled') AS ended_at,
         max(reason) FILTER (kind = 'subscription.canceled') AS ended_by,
         bool_or(kind = 'subscription.imported') AS is_imported
  FROM events WHERE kind IN ('subscription.imported', 'subscription.created', 'subscription.canceled')
  GROUP BY subscriber, spell
), signup AS MATERIALIZED (
  SELECT min(occurred_at) FILTER (kind = 'signup.started') AS began_at, max(reason) FILTER (kind = 'signup.started') AS started_by,
         bool_or(kind = 'subscription.created') AS is_paid
  FROM events WHERE kind IN ('signup.started', 'subscription.created') GROUP BY subscriber, spell
), issued AS (
  SELECT date_trunc('month', issued_at) AS month,
         count(*) FILTER (NOT is_signup AND is_matured) AS renewals,
         count(*) FILTER (NOT is_signup AND is_matured AND is_paid AND held_at IS NULL) AS uninterrupted,
         count(*) FILTER (NOT is_signup AND is_settled) AS settled_renewals,
         count(*) FILTER (NOT is_signup AND is_settled AND is_paid AND notices = 0 AND held_at IS NULL) AS undisturbed,
         count(*) FILTER (NOT is_signup AND is_matured AND is_uncollectible) AS lost,
         count(*) FILTER (NOT is_signup AND is_matured
                          AND (is_uncollectible OR (is_void AND failed_at IS NOT NULL))) AS lost_or_canceled,
         sum(notices) FILTER (NOT is_signup AND is_matured) AS notices,
         count(*) FILTER (NOT is_signup AND is_matured AND held_at IS NOT NULL) AS holds,
         count(*) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL) AS failed,
         count(*) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL AND is_paid) AS recovered,
         sum(notices) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL AND is_paid) AS recovering_notices,
         sum(value) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL) AS failed_value,
         sum(value) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL AND is_paid) AS recovered_value,
         sum(value) FILTER ((NOT is_signup OR is_paid) AND is_matured) AS billed_value,
         sum(value) FILTER (is_matured AND is_paid) AS paid_value,
         sum(value) FILTER (is_matured AND NOT is_signup AND (is_void OR is_uncollectible)) AS leaked_value,
         sum(value) FILTER (NOT is_signup AND is_settled) AS settled_value,
         sum(value) FILTER (NOT is_signup AND is_settled AND is_paid
                            AND captured_at <= issued_at + INTERVAL 1 DAY) AS paid_at_once_value,
         sum(value) FILTER (NOT is_signup OR is_paid) AS all_billed,
         sum(value) FILTER (NOT is_signup AND NOT is_paid AND given_up_at IS NULL) AS open,
         count(*) FILTER (is_matured AND amount > 0) AS invoices,
         count(*) FILTER (is_matured AND amount > 0 AND is_paid) AS paid,
         count(*) FILTER (is_matured AND amount > 0 AND NOT is_signup) AS renewals_above_0,
         count(*) FILTER (is_matured AND amount > 0 AND NOT is_signup AND is_paid) AS paid_renewals_above_0,
         count(*) FILTER (is_settled AND amount > 0 AND attempts >= 1) AS attempted,
         count(*) FILTER (is_settled AND amount > 0 AND attempts = 1 AND is_paid) AS paid_by_first,
         count(*) FILTER (attempts >= 1 AND is_by_card) AS attempted_by_card,
         count(*) FILTER (attempts >= 1 AND is_by_card AND mit_attempts <= 15) AS compliant,
         quantile_disc(CASE WHEN is_paid THEN (epoch_us(captured_at) - epoch_us(failed_at)) // 3600000000 ELSE 1e9 END,
                       0.5) FILTER (NOT is_signup AND is_matured AND failed_at IS NOT NULL) AS hours_to_recover
  FROM bill WHERE NOT is_imported GROUP BY month
), tried AS (
  SELECT date_trunc('month', answered_at) AS month,
         count(*) FILTER (is_settled AND amount > 0) AS settled,
         count(*) FILTER (is_settled AND amount > 0 AND is_authorized AND NOT was_returned) AS authorized,
         count(*) FILTER (is_settled AND amount > 0 AND attempt >= 2 AND NOT is_signup) AS retries,
         count(*) FILTER (is_settled AND amount > 0 AND attempt >= 2 AND NOT is_signup
                          AND is_authorized AND NOT was_returned) AS retries_paid,
         count(*) FILTER (is_declined) AS declined,
         count(*) FILTER (is_declined AND is_soft) AS soft,
         count(*) AS attempts,
         count(*) FILTER (was_unknown) AS unknown,
         count(*) FILTER (failed_calls = 0 AND NOT was_unknown AND latency_ms <= 10000) AS good,
         count(*) FILTER (failed_calls >= 1) AS failed_over,
         count(*) FILTER (recorded_at <= answered_at + INTERVAL 60 SECOND) AS fresh,
         quantile_disc(latency_ms, 0.99) AS latency
  FROM (SELECT try.*, is_signup FROM try JOIN bill USING (subscriber, invoice)) GROUP BY month
), failed AS (
  SELECT date_trunc('month', failed_at) AS month, count(*) AS failed,
         count(*) FILTER (failed_at <= as_of - INTERVAL 14 DAY) AS aged,
         count(*) FILTER (failed_at <= as_of - INTERVAL 14 DAY AND coalesce(
           CASE WHEN is_paid THEN captured_at ELSE given_up_at END > failed_at + INTERVAL 14 DAY, true)) AS unresolved
  FROM bill, span WHERE NOT is_signup AND failed_at IS NOT NULL GROUP BY month
), collected AS (
  SELECT date_trunc('month', captured_at) AS month, sum(value) AS collected, sum(value - tax_value) AS net
  FROM bill WHERE is_paid GROUP BY month
), leaked AS (
  SELECT date_trunc('month', given_up_at) AS month, sum(value) AS value
  FROM bill WHERE is_uncollectible OR (is_void AND NOT is_signup) GROUP BY month
), began AS (
  SELECT date_trunc('month', began_at) AS month, count(*) FILTER (began_at <= settled) AS started,
         count(*) FILTER (began_at <= settled AND is_paid) AS paid,
         count(*) FILTER (began_at <= settled AND is_paid AND started_by = 'returning') AS returned
  FROM signup, span WHERE began_at IS NOT NULL GROUP BY month
), told AS (
  SELECT date_trunc('month', occurred_at) AS month, count(*) AS notices FROM events WHERE kind = 'notice.sent' GROUP BY month
), stock AS (
  SELECT first AS month,
         count(*) FILTER ((began_at < first OR is_imported) AND coalesce(ended_at >= first, true)) AS at_start,
         count(*) FILTER (began_at < after AND coalesce(ended_at >= after, true)) AS at_end,
         count(*) FILTER ((began_at < first OR is_imported) AND ended_at >= first AND ended_at < after) AS ended,
         count(*) FILTER ((began_at < first OR is_imported) AND ended_at >= first AND ended_at < after AND ended_by = 'voluntary') AS left_by_wish
  FROM spell, months GROUP BY first, after
), owing AS (
  SELECT count(*) FILTER (held_last_at > coalesce(restored_at, TIMESTAMP '1900-01-01')) AS on_hold,
         count(*) FILTER (dunning_at IS NOT NULL) AS in_dunning
  FROM bill WHERE NOT is_paid AND given_up_at IS NULL
), again AS (
  SELECT count(*) FILTER (failed >= 2) AS twice, count(*) AS once
  FROM (SELECT count(*) AS failed FROM bill WHERE NOT is_signup AND failed_at IS NOT NULL GROUP BY subscriber, spell)
), whole AS (SELECT stock.* FROM stock, span WHERE month >= first_whole AND month < after_whole)
SELECT 'uninterrupted_renewal_rate' AS metric, month::DATE AS month, uninterrupted AS numerator, renewals AS denominator FROM issued
UNION ALL SELECT 'undisturbed_renewal_rate', month, undisturbed, settled_renewals FROM issued
UNION ALL SELECT 'involuntary_churn', month, lost, renewals FROM issued
UNION ALL SELECT 'involuntary_churn@with_cancels', month, lost_or_canceled, renewals FROM issued
UNION ALL SELECT 'notices_per_1000_renewals', month, notices, renewals FROM issued
UNION ALL SELECT 'holds_per_1000_renewals', month, holds, renewals FROM issued
UNION ALL SELECT 'recovery_rate', month, recovered_value, failed_value FROM issued
UNION ALL SELECT 'recovery_rate@count', month, recovered, failed FROM issued
UNION ALL SELECT 'notices_per_recovery', month, recovering_notices, recovered FROM issued
UNION ALL SELECT 'net_collected_rate', month, paid_value, billed_value FROM issued
UNION ALL SELECT 'leakage_share', month, leaked_value, billed_value FROM issued
UNION ALL SELECT 'paid_at_once_rate', month, paid_at_once_value, settled_value FROM issued
UNION ALL SELECT 'billed', month, all_billed, NULL FROM issued
UNION ALL SELECT 'open_receivables', month, open, NULL FROM issued
UNION ALL SELECT 'payment_success_rate', month, paid, invoices FROM issued
UNION ALL SELECT 'payment_success_rate@renewal', month, paid_renewals_above_0, renewals_above_0 FROM issued
UNION ALL SELECT 'first_attempt_success_rate', month, paid_by_first, attempted FROM issued
UNION ALL SELECT 'retry_cap_compliance', month, compliant, attempted_by_card FROM issued
UNION ALL SELECT 'payment_success_rate@attempt', month, authorized, settled FROM tried
UNION ALL SELECT 'marginal_retry_yield', month, retries_paid, retries FROM tried
UNION ALL SELECT 'soft_decline_share', month, soft, declined FROM tried
UNION ALL SELECT 'unknown_outcome_share', month, unknown, attempts FROM tried
UNION ALL SELECT 'gateway_good_share', month, good, attempts FROM tried
UNION ALL SELECT 'failover_share', month, failed_over, attempts FROM tried
UNION ALL SELECT 'event_freshness', month, fresh, attempts FROM tried
UNION ALL SELECT 'failed_renewals', month, failed, NULL FROM failed
UNION ALL SELECT 'unresolved_after_14_days', month, unresolved, aged FROM failed
UNION ALL SELECT 'collected', month, collected, NULL FROM collected
UNION ALL SELECT 'collection_leakage', month, value, NULL FROM leaked
UNION ALL SELECT 'signup_payment_conversion', month, paid, started FROM began
UNION ALL SELECT 'win_back_share', month, returned, paid FROM began
UNION ALL SELECT 'failure_notices', month, notices, NULL FROM told
UNION ALL SELECT 'members', month, at_end, NULL FROM stock WHERE month = (SELECT max(month) FROM stock)
UNION ALL SELECT 'churn', month, ended, at_start FROM whole
UNION ALL SELECT 'voluntary_churn', month, left_by_wish, at_start FROM whole
UNION ALL SELECT 'members_on_hold', NULL, on_hold, NULL FROM owing
UNION ALL SELECT 'members_in_dunning', NULL, in_dunning, NULL FROM owing
UNION ALL SELECT 'repeat_failures', NULL, twice, once FROM again
UNION ALL SELECT 'time_to_recover_p50', month, hours_to_recover, NULL FROM issued
UNION ALL SELECT 'gateway_latency_p99', month, latency, NULL FROM tried
