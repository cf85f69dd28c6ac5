#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/simulation/dice.h"
#include "transport/delivery/delivery_job.h"

namespace waxwing {

/// Hosts of the recipients' domains, each with a mood that changes.
class Receivers {
 public:
  enum class Mood { Good, Slow, Greylisting, Picky, Unreachable, NoDns, Crowded, Vanishing };

  explicit Receivers(Dice& dice) : dice_(dice) {}

  void change_mood(const std::string& domain);
  /// From now on all take everything at once.
  void be_good();

  /// What an attempt comes to for one recipient.
  struct Verdict {
    RecipientOutcome outcome;
    bool received = false;  ///< by the receiver, whatever the relay learns of it
  };
  [[nodiscard]] std::vector<Verdict> judge(const std::string& domain, std::size_t recipients);
  /// How long an attempt takes.
  [[nodiscard]] Milliseconds pace(const std::string& domain);

 private:
  [[nodiscard]] Mood mood(const std::string& domain) const;
  [[nodiscard]] Verdict judge_one(Mood mood);

  Dice& dice_;
  std::map<std::string, Mood> moods_;
};

}  // namespace waxwing
