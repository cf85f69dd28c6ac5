#include "transport/delivery/delivery_attempt.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "policy/tls_report_result.h"

namespace waxwing {
namespace {

using Kind = RecipientOutcome::Kind;

constexpr std::size_t kMaxStaleTries = 2;  // per attempt

bool is_tls_failure(std::string_view status) {
  return status.starts_with("4.7.") || status == "5.7.30";
}

// Whether a host was found not to satisfy what was asked of TLS, rather than to be out of order.
bool is_tls_verdict(std::string_view status) {
  return status == "4.7.4" || status == "4.7.5" || status == "5.7.30";
}

RecipientOutcome outcome_of(const SmtpFailure& failure, const std::string& mx_name) {
  return {failure.kind == SmtpFailure::Kind::Permanent ? Kind::Bounced : Kind::Deferred,
          failure.status,
          fmt::format("{}: {}.", mx_name, failure.detail),
          failure.reply ? failure.reply->str() : std::string(),
          false,
          failure.stage};
}

// What a host cannot carry, by what it offered: another may.
bool is_incapable(const SmtpFailure& failure) {
  return failure.kind == SmtpFailure::Kind::Permanent && !failure.reply && failure.try_other_host;
}

// What a person can act on comes first: certificates and policies, then what a server said, then silence. That a host
// cannot carry the message is the last word only where all cannot, and that none of our ends may go there only where no
// host was asked.
constexpr int kRankOfOwnEnd = 4;
int rank_of(const SmtpFailure& failure) {
  if (failure.kind == SmtpFailure::Kind::TlsUnavailable || failure.kind == SmtpFailure::Kind::LoginRefused) return 0;
  if (is_tls_failure(failure.status) && !failure.reply) return 0;
  if (is_incapable(failure)) return 3;
  return failure.reply ? 1 : 2;
}

}  // namespace

DeliveryAttempt::DeliveryAttempt(EventLoop& loop, DestinationPlanner& planner, ConnectionPool& pool, DeliveryJob job,
                                 OnDone on_done)
    : loop_(loop),
      planner_(planner),
      pool_(pool),
      job_(std::move(job)),
      on_done_(std::move(on_done)),
      deadline_(loop, [this] { on_deadline(); }),
      outcomes_(job_.recipients.size()) {
  for (std::size_t i = 0; i < job_.recipients.size(); ++i) undecided_.push_back(i);
}

void DeliveryAttempt::start(Milliseconds timeout) {
  timeout_ = timeout;
  deadline_.start(timeout);
  TlsDemands demands = job_.demands;
  demands.request = request();
  const auto route = job_.route ? job_.route->plan : nullptr;
  planner_.plan(job_.domain, demands, route, [weak = weak_from_this()](const auto& planned) {
    if (const auto self = weak.lock()) self->on_planned(planned);
  });
}

// RFC 8689 §5: a bounce is not lost because the way back knows no REQUIRETLS.
TlsRequest DeliveryAttempt::request() const {
  return job_.demands.request == TlsRequest::Required && !job_.reverse_path ? TlsRequest::None : job_.demands.request;
}

void DeliveryAttempt::on_planned(const std::shared_ptr<const PlannedDestination>& planned) {
  if (!on_done_) return;
  planned_ = planned;
  const DestinationPlan& plan = planned->plan;
  switch (plan.outcome) {
    case DestinationPlan::Outcome::Deliver:
      return try_next();
    case DestinationPlan::Outcome::Defer:
      if (request() == TlsRequest::Required && !plan.hosts.empty()) return try_next();
      count_unknown_hosts();
      for (const PlannedHost& host : plan.hosts) count_refusal(host);
      return finish_undecided({Kind::Deferred, plan.status, plan.reason, {}});
    case DestinationPlan::Outcome::Bounce:
      return finish_undecided({Kind::Bounced, plan.status, plan.reason, {}});
  }
}

// Goes to the next address that may be used.
void DeliveryAttempt::try_next() {
  const auto& hosts = planned_->plan.hosts;
  for (; host_ < hosts.size() && tries_ < kMaxConnectionsPerAttempt; ++host_, address_ = 0) {
    const PlannedHost& host = hosts[host_];
    if (host.requirement.method == TlsRequirement::Method::Defer) {
      const RecipientOutcome outcome{Kind::Deferred, host.defer_status, host.requirement.reason, {}};
      count_refusal(host);
      note({is_tls_failure(host.defer_status) ? 0 : 2, outcome, {}});
      continue;
    }
    auto end = choose_end(host);
    if (!end) continue;
    target_ = PoolTarget{host.name,        {host.addresses[address_], host.port},
                         host.requirement, planned_->sharing_keys[host_],
                         std::move(*end),  job_.route};
    const bool races = address_ + 1 < host.addresses.size() &&
                       host.addresses[address_ + 1].family() != host.addresses[address_].family() &&
                       target_->local_end.reaches(host.addresses[address_ + 1]);
    if (races) target_->alternative = Endpoint{host.addresses[address_ + 1], host.port};
    ++tries_;
    return submit(ConnectionPool::Place::Last);
  }
  if (host_ < hosts.size()) may_pass_ = true;  // there were too many to try
  if (worst_) {
    facts_ = worst_->facts;
    return finish_undecided(last_word());
  }
  finish_undecided({Kind::Deferred, "4.4.1", fmt::format("No host of {} could be tried.", job_.domain.str()), {}});
}

// Which end of ours goes to the next address of a host that it reaches; no value: the host is not to be tried.
std::optional<LocalEnd> DeliveryAttempt::choose_end(const PlannedHost& host) {
  if (address_ >= host.addresses.size()) return std::nullopt;
  auto choice = job_.local_end->choose(host.name, std::span(host.addresses).subspan(address_));
  if (!choice.end) {
    RecipientOutcome outcome{Kind::Deferred, "4.4.5", std::move(choice.reason), {}};
    outcome.retry_at = choice.until;
    note({kRankOfOwnEnd, std::move(outcome), {}});
    return std::nullopt;
  }
  while (address_ < host.addresses.size() && !choice.end->reaches(host.addresses[address_])) ++address_;
  if (address_ == host.addresses.size()) return std::nullopt;
  return std::move(choice.end);
}

// An end that was free when it was chosen may be so no more.
bool DeliveryAttempt::confirm() {
  const auto& addresses = planned_->plan.hosts[host_].addresses;
  const auto choice = job_.local_end->choose(target_->mx_name, std::span(addresses).subspan(address_));
  if (choice.end && choice.end->source == target_->local_end.source) return true;
  loop_.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && self->on_done_) self->try_next();
  });
  return false;
}

// What no host being left means. RFC 8689 §4.2.1: a message that asks for REQUIRETLS goes back to its sender then.
RecipientOutcome DeliveryAttempt::last_word() const {
  RecipientOutcome outcome = worst_->outcome;
  if (request() != TlsRequest::Required) return outcome;
  if (outcome.kind == Kind::Bounced && outcome.status != "5.7.30") return outcome;  // no host can carry it anyway
  outcome.kind = may_pass_ ? Kind::Deferred : Kind::Bounced;
  if (may_pass_) {
    outcome.status[0] = '4';
  } else if (outcome.status != "5.7.30") {
    outcome.status = "5.7.10";
  }
  return outcome;
}

void DeliveryAttempt::submit(ConnectionPool::Place place) {
  if (!rewind()) return;
  if (pool_.submit(*target_, shared_from_this(), place)) return;
  finish_undecided(
      {Kind::Deferred,
       "4.3.2",
       fmt::format("{}: more than {} messages wait for it already.", target_->mx_name, kMaxWaitingJobsPerGroup),
       {}});
}

bool DeliveryAttempt::rewind() {
  const auto done = job_.content->rewind();
  if (!done) {
    finish_undecided(
        {Kind::Deferred, "4.3.0", fmt::format("The message cannot be read: {}.", done.error().detail), {}});
  }
  return done.has_value();
}

void DeliveryAttempt::on_unreachable(const SmtpFailure& failure, const ConnectionFacts& facts) {
  if (!on_done_) return;
  if (facts.may_be_tried_again && tries_ < kMaxConnectionsPerAttempt) {
    ++tries_;
    return submit(ConnectionPool::Place::First);
  }
  if (facts.tls_failure) count_session(planned_->plan.hosts[host_], facts.tls_failure);
  pass_over(failure, facts);
  try_next();
}

// What a domain learns from a report about it: by the policy that it publishes, so nothing where message or operator set
// that aside, or where the mail went another way.
void DeliveryAttempt::count_session(const PlannedHost& host, std::optional<TlsFailure> failure) {
  if (job_.demands.sets_policy_aside() || job_.route) return;
  count_policy_fetch();
  tls_results_.push_back({tls_report_policy(host.facts, planned_->plan.sts), std::move(failure)});
}

// A host that is not used because of what was found about it before any session.
void DeliveryAttempt::count_refusal(const PlannedHost& host) {
  const bool by_policy = host.defer_status == "4.7.5" || host.defer_status == "4.4.3";
  if (!by_policy || job_.demands.request != TlsRequest::None)
    return;  // the message asks for more than domain and relay
  if (auto failure = tls_failure_of_host(host.facts, planned_->plan.sts, host.requirement)) {
    count_session(host, std::move(failure));
  }
}

void DeliveryAttempt::count_unknown_hosts() {
  const DestinationPlan& plan = planned_->plan;
  if (!plan.mx_failure || job_.demands.sets_policy_aside() || job_.route) return;
  TlsSessionResult result;
  result.policy.domain = plan.sts.domain;
  result.failure = plan.mx_failure;
  tls_results_.push_back(std::move(result));
}

// With each session, so that it is in proportion to them: how many messages met it says nothing.
void DeliveryAttempt::count_policy_fetch() {
  const DestinationPlan& plan = planned_->plan;
  if (!plan.sts_failure) return;
  TlsSessionResult result;
  result.policy.type = TlsReportPolicy::Type::Sts;
  result.policy.domain = plan.sts.domain;
  result.failure = plan.sts_failure;
  tls_results_.push_back(std::move(result));
}

void DeliveryAttempt::pass_over(const SmtpFailure& failure, const ConnectionFacts& facts) {
  RecipientOutcome outcome = outcome_of(failure, facts.mx_name);
  if (facts.own_end_failed) outcome.retry_at = job_.local_end->on_unusable(failure.detail);
  const bool own_end = outcome.retry_at.has_value() || blame_own_end(failure, outcome);
  note({rank_of(failure), std::move(outcome), facts});
  if (own_end) return;  // from another end of ours the same address may answer otherwise
  if (failure.kind == SmtpFailure::Kind::LoginRefused) {  // asking each address would lock the account
    ++host_;
    address_ = 0;
    return;
  }
  ++address_;  // also after a TLS failure: behind each address there may be another machine
  if (failure.stage == DeliveryStage::Connect && target_->alternative) ++address_;  // neither answered
}

// Whether a host refused our end rather than the message; then the message is not at fault, whatever the code says.
bool DeliveryAttempt::blame_own_end(const SmtpFailure& failure, RecipientOutcome& outcome) {
  if (!failure.reply) return false;
  outcome.retry_at = job_.local_end->on_refused(target_->mx_name, *failure.reply, failure.stage);
  if (!outcome.retry_at) return false;
  outcome.kind = Kind::Deferred;
  if (!outcome.status.empty()) outcome.status[0] = '4';
  return true;
}

void DeliveryAttempt::note(HostFailure failure) {
  if (!is_tls_verdict(failure.outcome.status)) may_pass_ = true;
  if (!worst_ || failure.rank < worst_->rank) worst_ = std::move(failure);
}

SmtpTransaction DeliveryAttempt::transaction() {
  const std::size_t count = std::min(undecided_.size(), kMaxRecipientsPerTransaction);
  in_transaction_.assign(undecided_.begin(), undecided_.begin() + static_cast<std::ptrdiff_t>(count));
  SmtpTransaction transaction;
  transaction.reverse_path = job_.reverse_path;
  for (const std::size_t index : in_transaction_) {
    transaction.recipients.push_back(job_.recipients[index]);
    transaction.notices.push_back(index < job_.notices.size() ? job_.notices[index] : RecipientNotice());
  }
  transaction.notice = job_.notice;
  if (job_.deliver_by) transaction.by = job_.deliver_by->value_at(loop_.wall_now());
  transaction.size_octets = job_.content->size_octets();
  transaction.needs_8bit = job_.needs_8bit;
  transaction.needs_smtputf8 = job_.needs_smtputf8;
  transaction.may_chunk = may_chunk_;
  transaction.require_tls = job_.demands.request == TlsRequest::Required && proves_what_requiretls_asks();
  return transaction;
}

TransactionSource::Next DeliveryAttempt::on_outcome(SmtpTransactionOutcome outcome, const ConnectionFacts& facts,
                                                    bool first) {
  if (!on_done_) return Next::Done;
  if (first) {  // what the policy of the domain would have refused is a failure although the session is not
    const PlannedHost& host = planned_->plan.hosts[host_];
    auto failure = tls_failure_of_host(host.facts, planned_->plan.sts, host.requirement);
    count_session(host, failure ? std::move(failure) : facts.tls_failure);
  }
  facts_ = facts;
  // Recipients beyond what the server takes at once wait for a transaction of their own, unless it took none for good.
  const bool others_count =
      std::ranges::any_of(outcome.recipients, [](const auto& failure) { return !failure || failure->try_other_host; });
  const bool by_data = outcome.chunking_unknown && std::exchange(may_chunk_, false);
  std::optional<SmtpFailure> lost;
  std::vector<std::size_t> left;
  for (std::size_t i = 0; i < in_transaction_.size(); ++i) {
    const auto& failure = outcome.recipients[i];
    const bool full = failure && (failure->not_asked || (failure->status == "4.5.3" && others_count));
    if (failure && failure->try_other_host && !expired_) {
      lost = failure;
      left.push_back(in_transaction_[i]);
    } else if (((by_data && failure && failure->stage == DeliveryStage::Content) || full) && !expired_) {
      left.push_back(in_transaction_[i]);
    } else {
      take_result(in_transaction_[i], failure, outcome);
    }
  }
  left.insert(left.end(), undecided_.begin() + static_cast<std::ptrdiff_t>(in_transaction_.size()), undecided_.end());
  undecided_ = std::move(left);
  if (undecided_.empty()) return finish(), Next::Done;
  if (expired_) return Next::Done;
  if (lost) return on_lost(*lost, first), Next::Done;
  if (outcome.connection_usable) return rewind() ? Next::Another : Next::Done;
  submit(ConnectionPool::Place::First);
  return Next::Done;
}

// RFC 8689 §2: MAIL may say REQUIRETLS only then. With a reverse-path the plan has seen to it.
bool DeliveryAttempt::proves_what_requiretls_asks() const {
  const TlsRequirement& requirement = target_->requirement;
  if (requirement.level == TlsLevel::Authenticated) return true;
  const bool secure_mx = planned_->plan.hosts[host_].facts.mx_status == Answer::Status::Secure;
  return requirement.level == TlsLevel::Verified && secure_mx;
}

// A kept connection may have died while nobody looked; that says nothing about the host. What is about our end would be
// said again.
void DeliveryAttempt::on_lost(const SmtpFailure& failure, bool first) {
  const bool own_end =
      failure.reply && job_.local_end->on_refused(target_->mx_name, *failure.reply, failure.stage).has_value();
  const bool died = failure.kind != SmtpFailure::Kind::Permanent && !own_end;
  if (died && !first && stale_tries_ < kMaxStaleTries) {
    ++stale_tries_;
    pool_.drop_idle(*target_);
    return submit(ConnectionPool::Place::First);
  }
  pass_over(failure, facts_);
  try_next();
}

void DeliveryAttempt::take_result(std::size_t index, const std::optional<SmtpFailure>& failure,
                                  const SmtpTransactionOutcome& outcome) {
  if (failure) {
    outcomes_[index] = outcome_of(*failure, facts_.mx_name);
    blame_own_end(*failure, outcomes_[index]);
    return;
  }
  const SmtpReply& reply = *outcome.final_reply;
  outcomes_[index] = {Kind::Delivered,
                      reply.enhanced_code.empty() ? "2.0.0" : reply.enhanced_code,
                      fmt::format("{} accepted the message: \"{}\".", facts_.mx_name, reply.str()),
                      reply.str(),
                      outcome.notices_passed_on,
                      DeliveryStage::None,
                      outcome.deliver_by_passed_on};
}

void DeliveryAttempt::on_deadline() {
  const auto self = shared_from_this();
  expired_ = true;
  const std::string detail = fmt::format("the attempt took longer than {} s", timeout_.count() / 1'000);
  pool_.cut(*this, detail);
  if (!on_done_) return;
  finish_undecided(
      {Kind::Deferred, "4.4.7", fmt::format("{}: {}.", target_ ? target_->mx_name : job_.domain.str(), detail), {}});
}

void DeliveryAttempt::finish_undecided(const RecipientOutcome& outcome) {
  for (const std::size_t index : std::exchange(undecided_, {})) outcomes_[index] = outcome;
  finish();
}

void DeliveryAttempt::finish() {
  deadline_.stop();
  // Another domain may have opened the connection: the requirement is the same, the sentence speaks of that domain.
  const bool ours = target_ && target_->mx_name == facts_.mx_name;
  const std::string& reason = ours ? target_->requirement.reason : facts_.requirement_reason;
  DeliveryReport report{
      std::move(outcomes_), facts_.mx_name,     facts_.peer, facts_.local_address,   facts_.source, facts_.proven,
      facts_.tls_method,    facts_.tls_summary, reason,      std::move(tls_results_)};
  if (job_.route) report.route = job_.route->plan->tls.route;
  std::exchange(on_done_, nullptr)(std::move(report));
}

}  // namespace waxwing
