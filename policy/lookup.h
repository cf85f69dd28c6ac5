#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "policy/ip_address.h"
#include "policy/result.h"

namespace waxwing {

/// DNS types that Waxwing asks for; the values are those of the wire.
enum class RecordType : std::uint16_t { A = 1, CNAME = 5, PTR = 12, MX = 15, TXT = 16, AAAA = 28, TLSA = 52 };

/// "A", "TLSA", …
[[nodiscard]] std::string_view record_type_name(RecordType type);

/// One DNS question. `name` is lower case without trailing dot, "." for the root; octets outside printable ASCII, dots
/// inside labels and backslashes are escaped as `\DDD`. It may break the rules of DomainName (SPF macros, `_25._tcp`).
struct Question {
  std::string name;
  RecordType type;
  friend auto operator<=>(const Question&, const Question&) = default;
};

struct MxRecord {
  std::uint16_t preference;
  std::string exchange;  ///< as Question::name; "." is the null MX of RFC 7505
  friend auto operator<=>(const MxRecord&, const MxRecord&) = default;
};
struct TxtRecord {
  std::string text;  ///< all character-strings joined without separator (RFC 7208 §3.3); any octets
  friend auto operator<=>(const TxtRecord&, const TxtRecord&) = default;
};
struct PtrRecord {
  std::string name;  ///< as Question::name
  friend auto operator<=>(const PtrRecord&, const PtrRecord&) = default;
};
struct TlsaRdata {
  std::string octets;  ///< undecoded rdata of any length, hostile until policy/tlsa_record.h has read it
  friend auto operator<=>(const TlsaRdata&, const TlsaRdata&) = default;
};
using RecordData = std::variant<IpAddress, MxRecord, TxtRecord, PtrRecord, TlsaRdata>;

/// What is known about a question. The four states are never folded into one another: a lookup that fails says nothing
/// about what is published.
struct Answer {
  enum class Status {
    Secure,    ///< validated by DNSSEC, whether it holds records or proves their absence
    Insecure,  ///< a proper answer from a zone without DNSSEC
    Bogus,     ///< validation failed: somebody lies, or the zone is broken
    Failed,    ///< no usable answer: timeout, SERVFAIL, REFUSED, nonsense
  };
  Status status = Status::Failed;
  bool name_exists = false;         ///< false for NXDOMAIN; meaningless unless Secure or Insecure
  std::string canonical_name;       ///< where the CNAME chain ended; the question's name without one
  bool alias_secure = true;         ///< false when some link of the CNAME chain was not secure
  std::vector<RecordData> records;  ///< of the type asked for only, at most kMaxRecordsPerAnswer
  std::uint32_t ttl_seconds = 0;    ///< least TTL of what was used, or the negative TTL
  std::string detail;               ///< for Bogus and Failed: a phrase for people, e.g. "SERVFAIL from 127.0.0.1"

  /// Secure or Insecure: the answer may be relied on for what it says.
  [[nodiscard]] bool usable() const { return status == Status::Secure || status == Status::Insecure; }
};

/// More records than this in one answer are cut off by the resolver glue.
inline constexpr std::size_t kMaxRecordsPerAnswer = 1'024;

/// The DNS facts that a rule works on. A rule (check_host, discover_dmarc, plan_destination …) is a pure function of
/// its input and this book. When it needs an answer that is not there, it notes the question and returns nothing; the
/// caller asks what `missing()` lists, adds the answers and calls the rule again from its start. So rules read as the
/// RFC does, touch no network, run under virtual time, and leave a complete record of what they decided on.
class Answers {
 public:
  /// Returns the answer, or nullptr after noting the question as missing. The pointer is valid until the book is
  /// destroyed.
  [[nodiscard]] const Answer* find(const Question& question);

  /// Adds or replaces an answer; the question is no longer missing.
  void add(const Question& question, Answer answer);

  /// Questions noted since the last add() of each, each once, in the order in which they were first needed.
  [[nodiscard]] const std::vector<Question>& missing() const { return missing_; }

  /// Everything known, in order of name and type; for `explain` and for the record kept with a delivery attempt.
  [[nodiscard]] const std::map<Question, Answer>& known() const { return known_; }

 private:
  std::map<Question, Answer> known_;
  std::vector<Question> missing_;
};

}  // namespace waxwing
