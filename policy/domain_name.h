#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// A domain name of mail: A-labels in lower case, without trailing dot, 1 to 253 octets, labels of 1 to 63 octets made
/// of letters, digits, underscores and inner hyphens. Names inside DNS data that need not follow these rules are plain
/// strings (lookup.h).
class DomainName {
 public:
  /// Reads a name as people and protocols write it; U-labels (UTF-8) become A-labels by IDNA2008, case is folded, one
  /// trailing dot is dropped.
  /// @errors  Malformed: empty, an empty or too long label, an octet that is not allowed, an IDNA violation, an IP
  /// address literal
  /// @source  RFC 1035 §2.3.1, RFC 5890 §2.3.2.1
  [[nodiscard]] static Result<DomainName> parse(std::string_view text);

  /// The name, for comparing, printing and asking. Valid as long as this object.
  [[nodiscard]] const std::string& str() const { return name_; }

  /// Number of labels, at least 1.
  [[nodiscard]] std::size_t label_count() const;

  /// The last `count` labels (`count` from 1 to label_count()): "a.b.c" with 2 is "b.c".
  [[nodiscard]] DomainName last_labels(std::size_t count) const;

  /// Whether this name is `ancestor` or lies below it.
  [[nodiscard]] bool is_within(const DomainName& ancestor) const;

  friend auto operator<=>(const DomainName&, const DomainName&) = default;

 private:
  explicit DomainName(std::string name) : name_(std::move(name)) {}
  std::string name_;
};

}  // namespace waxwing
