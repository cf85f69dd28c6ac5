#include "policy/lookup.h"

#include <algorithm>

namespace waxwing {

std::string_view record_type_name(RecordType type) {
  switch (type) {
    case RecordType::A:
      return "A";
    case RecordType::CNAME:
      return "CNAME";
    case RecordType::PTR:
      return "PTR";
    case RecordType::MX:
      return "MX";
    case RecordType::TXT:
      return "TXT";
    case RecordType::AAAA:
      return "AAAA";
    case RecordType::TLSA:
      return "TLSA";
  }
  return "TYPE0";
}

const Answer* Answers::find(const Question& question) {
  if (const auto found = known_.find(question); found != known_.end()) return &found->second;
  if (std::ranges::find(missing_, question) == missing_.end()) missing_.push_back(question);
  return nullptr;
}

void Answers::add(const Question& question, Answer answer) {
  known_[question] = std::move(answer);
  std::erase(missing_, question);
}

}  // namespace waxwing
