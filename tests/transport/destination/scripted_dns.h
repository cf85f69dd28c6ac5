#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "transport/destination/destination_plan.h"

namespace waxwing::testing {

using Status = Answer::Status;

/// A small DNS that answers from memory. What is not there exists without records, in the state `otherwise`.
class ScriptedDns {
 public:
  Status otherwise = Status::Insecure;

  ScriptedDns& set(const std::string& name, RecordType type, Status status, std::vector<RecordData> records,
                   const std::string& canonical = {}) {
    Answer answer;
    answer.status = status;
    answer.name_exists = true;
    answer.canonical_name = canonical.empty() ? name : canonical;
    answer.records = std::move(records);
    answer.ttl_seconds = 300;
    if (!answer.usable()) answer.detail = status == Status::Bogus ? "signature expired" : "timeout";
    answers_[{name, type}] = std::move(answer);
    return *this;
  }
  ScriptedDns& set(const std::string& name, RecordType type, Answer answer) {
    answers_[{name, type}] = std::move(answer);
    return *this;
  }
  ScriptedDns& mx(const std::string& domain, Status status, std::vector<std::pair<int, std::string>> hosts) {
    std::vector<RecordData> records;
    for (auto& [preference, host] : hosts) records.push_back(MxRecord{static_cast<std::uint16_t>(preference), host});
    return set(domain, RecordType::MX, status, std::move(records));
  }
  ScriptedDns& nxdomain(const std::string& name, RecordType type, Status status) {
    set(name, type, status, {});
    answers_[{name, type}].name_exists = false;
    return *this;
  }
  ScriptedDns& a(const std::string& name, Status status, std::vector<std::string> addresses,
                 const std::string& canonical = {}) {
    return addresses_of(name, RecordType::A, status, addresses, canonical);
  }
  ScriptedDns& aaaa(const std::string& name, Status status, std::vector<std::string> addresses,
                    const std::string& canonical = {}) {
    return addresses_of(name, RecordType::AAAA, status, addresses, canonical);
  }
  ScriptedDns& tlsa(const std::string& base, Status status, std::vector<std::string> rdata) {
    std::vector<RecordData> records;
    for (auto& octets : rdata) records.push_back(TlsaRdata{std::move(octets)});
    return set("_25._tcp." + base, RecordType::TLSA, status, std::move(records));
  }
  ScriptedDns& txt(const std::string& name, Status status, std::vector<std::string> texts) {
    std::vector<RecordData> records;
    for (auto& text : texts) records.push_back(TxtRecord{std::move(text)});
    return set(name, RecordType::TXT, status, std::move(records));
  }

  [[nodiscard]] Answer answer(const Question& question) const {
    if (const auto found = answers_.find(question); found != answers_.end()) return found->second;
    Answer answer;
    answer.status = otherwise;
    answer.name_exists = true;
    answer.canonical_name = question.name;
    answer.ttl_seconds = 300;
    if (!answer.usable()) answer.detail = "SERVFAIL";
    return answer;
  }

 private:
  ScriptedDns& addresses_of(const std::string& name, RecordType type, Status status,
                            const std::vector<std::string>& addresses, const std::string& canonical) {
    std::vector<RecordData> records;
    for (const auto& text : addresses) records.emplace_back(*IpAddress::parse(text));
    return set(name, type, status, std::move(records), canonical);
  }

  std::map<Question, Answer> answers_;
};

/// rdata of a usable record "3 1 1" whose digest is all `fill`.
inline std::string tlsa_3_1_1(char fill = 'x') {
  return std::string("\x03\x01\x01", 3) + std::string(32, fill);
}

}  // namespace waxwing::testing
