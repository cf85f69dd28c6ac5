#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "policy/lookup.h"
#include "tests/fuzz/octet_source.h"

namespace waxwing::fuzz {

/// Makes a name in the form of Question::name out of any octets.
std::string dns_name(std::string_view text);

/// DNS as lines of an input describe it, up to an empty line: `name TYPE value`, where the name "*" stands for every
/// name and the type "FAIL" or "BOGUS" for lookups of any type that go wrong. Other names do not exist.
class ZoneLines {
 public:
  static ZoneLines read(OctetSource& source);

  /// Adds the lines of another zone.
  void add(const ZoneLines& other) { lines_.insert(lines_.end(), other.lines_.begin(), other.lines_.end()); }

  [[nodiscard]] Answer answer(const Question& question) const;

  /// Calls a rule until it returns a value, answering what it misses. The rule must come to an end.
  template <class Rule>
  auto resolve(Rule rule) const {
    Answers answers;
    return resolve_with(answers, rule);
  }

  /// The same with a book that the caller keeps.
  template <class Rule>
  auto resolve_with(Answers& answers, Rule rule) const {
    for (int round = 0;; ++round) {
      if (auto value = rule(answers)) return *value;
      const std::vector<Question> missing = answers.missing();
      check_round(round, missing.size());
      for (const Question& question : missing) answers.add(question, answer(question));
    }
  }

 private:
  struct Line {
    std::string name;
    std::string type;
    std::string value;
  };
  static void check_round(int round, std::size_t missing);

  std::vector<Line> lines_;
};

}  // namespace waxwing::fuzz
