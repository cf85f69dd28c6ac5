#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <string>

#include "policy/lookup.h"

namespace waxwing::testing {

/// A small DNS whose records a test lists; names that are neither listed nor have a listed name below them do not
/// exist.
class ScriptedDns {
 public:
  void txt(const std::string& name, const std::string& text) { add(name, RecordType::TXT, TxtRecord{text}); }
  void address(const std::string& name, const std::string& text) {
    const IpAddress ip = *IpAddress::parse(text);
    // By its text, since an AAAA record may hold a mapped IPv4 address.
    add(name, text.find(':') == std::string::npos ? RecordType::A : RecordType::AAAA, ip);
  }
  void mx(const std::string& name, std::uint16_t preference, const std::string& exchange) {
    add(name, RecordType::MX, MxRecord{preference, exchange});
  }
  void ptr(const std::string& name, const std::string& target) { add(name, RecordType::PTR, PtrRecord{target}); }
  void exists(const std::string& name) { names_.insert(name); }
  /// Lookups of that name and type get no usable answer.
  void fails(const std::string& name, RecordType type, Answer::Status status = Answer::Status::Failed) {
    names_.insert(name);
    Answer answer;
    answer.status = status;
    answer.detail = "SERVFAIL";
    broken_[{name, type}] = answer;
  }

  [[nodiscard]] Answer answer(const Question& question) const {
    if (const auto broken = broken_.find(question); broken != broken_.end()) return broken->second;
    Answer answer;
    answer.status = Answer::Status::Insecure;
    answer.canonical_name = question.name;
    answer.name_exists = name_exists(question.name);
    if (const auto found = records_.find(question); found != records_.end()) answer.records = found->second;
    return answer;
  }

  /// Calls a rule until it returns a value, answering what it misses in between. Throws std::logic_error when the rule
  /// returns nothing and misses nothing, or asks without end.
  template <class Rule>
  auto resolve(Rule rule) {
    Answers answers;
    rounds = 0;
    for (;;) {
      auto value = rule(answers);
      if (value) {
        asked = answers.known();
        return *value;
      }
      const auto missing = answers.missing();
      if (missing.empty()) throw std::logic_error("the rule returned nothing and misses nothing");
      if (++rounds == kMaxRounds) throw std::logic_error("the rule asks without end");
      for (const Question& question : missing) answers.add(question, answer(question));
    }
  }

  int rounds = 0;                    ///< round trips of the last resolve()
  std::map<Question, Answer> asked;  ///< what the last resolve() asked

 private:
  static constexpr int kMaxRounds = 100;

  void add(const std::string& name, RecordType type, RecordData data) {
    names_.insert(name);
    records_[{name, type}].push_back(std::move(data));
  }
  [[nodiscard]] bool name_exists(const std::string& name) const {
    return std::any_of(names_.begin(), names_.end(), [&](const std::string& listed) {
      return listed == name || (listed.size() > name.size() && listed.ends_with("." + name));
    });
  }

  std::set<std::string> names_;
  std::map<Question, std::vector<RecordData>> records_;
  std::map<Question, Answer> broken_;
};

}  // namespace waxwing::testing
