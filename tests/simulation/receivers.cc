#include "tests/simulation/receivers.h"

#include <utility>

namespace waxwing {
namespace {

using Kind = RecipientOutcome::Kind;

Receivers::Verdict verdict(Kind kind, const char* status, const char* reply, DeliveryStage stage) {
  Receivers::Verdict made;
  made.outcome = {kind, status, "the simulated host answers so", reply};
  made.outcome.stage = stage;
  made.received = kind == Kind::Delivered;
  return made;
}

Receivers::Verdict delivered() {
  return verdict(Kind::Delivered, "2.0.0", "250 ok", DeliveryStage::Content);
}

}  // namespace

void Receivers::change_mood(const std::string& domain) {
  static const std::vector<Mood> kMoods = {Mood::Good,        Mood::Slow,  Mood::Greylisting, Mood::Picky,
                                           Mood::Unreachable, Mood::NoDns, Mood::Crowded,     Mood::Vanishing};
  moods_[domain] = dice_.one_of(kMoods);
}

void Receivers::be_good() {
  moods_.clear();
}

Receivers::Mood Receivers::mood(const std::string& domain) const {
  const auto known = moods_.find(domain);
  return known == moods_.end() ? Mood::Good : known->second;
}

std::vector<Receivers::Verdict> Receivers::judge(const std::string& domain, std::size_t recipients) {
  const Mood now = mood(domain);
  std::vector<Verdict> verdicts;
  const bool for_all = now == Mood::Unreachable || now == Mood::NoDns || now == Mood::Crowded || now == Mood::Vanishing;
  while (verdicts.size() < recipients)
    verdicts.push_back(for_all && !verdicts.empty() ? verdicts.front() : judge_one(now));
  return verdicts;
}

Receivers::Verdict Receivers::judge_one(Mood mood) {
  switch (mood) {
    case Mood::Greylisting:
      if (dice_.percent(60)) return verdict(Kind::Deferred, "4.7.1", "450 4.7.1 later", DeliveryStage::Rcpt);
      break;
    case Mood::Picky:
      if (dice_.percent(30)) return verdict(Kind::Bounced, "5.1.1", "550 5.1.1 nobody", DeliveryStage::Rcpt);
      if (dice_.percent(30)) return verdict(Kind::Deferred, "4.2.2", "452 4.2.2 full", DeliveryStage::Rcpt);
      break;
    case Mood::Unreachable:
      return verdict(Kind::Deferred, "4.4.1", "", DeliveryStage::Connect);
    case Mood::NoDns:
      return verdict(Kind::Deferred, "4.4.3", "", DeliveryStage::None);
    case Mood::Crowded:
      if (dice_.percent(50)) return verdict(Kind::Deferred, "4.3.2", "421 4.3.2 too busy", DeliveryStage::Greeting);
      break;
    case Mood::Vanishing:  // sometimes after it has taken the content
      if (dice_.percent(70)) {
        Verdict lost = verdict(Kind::Deferred, "4.4.2", "", DeliveryStage::Content);
        lost.received = dice_.percent(40);
        return lost;
      }
      break;
    default:
      break;
  }
  return delivered();
}

Milliseconds Receivers::pace(const std::string& domain) {
  return mood(domain) == Mood::Slow ? dice_.between(Milliseconds(20'000), Milliseconds(600'000))
                                    : dice_.between(Milliseconds(1), Milliseconds(3'000));
}

}  // namespace waxwing
