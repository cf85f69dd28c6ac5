#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "policy/result.h"
#include "signer/folded_line.h"
#include "signer/header_field.h"

namespace waxwing {

inline constexpr std::size_t kMaxReportedMethods = 100;
inline constexpr std::size_t kMaxReportedProperties = 20;  ///< of one method

/// What some host found out about a message: the content of Authentication-Results, and of ARC-Authentication-Results
/// behind its instance.
/// @source  RFC 8601 §2
struct AuthenticationResults {
  /// What a result rests on, as in "smtp.mailfrom=example.org".
  struct Property {
    std::string ptype;     ///< "smtp", "header", "body", "policy", …; lower case
    std::string property;  ///< "mailfrom", "d", …; lower case
    std::string value;     ///< unquoted
  };
  /// One method and its result.
  struct Method {
    std::string method;   ///< "dkim", "spf", …; lower case
    std::string result;   ///< "pass", …; lower case
    std::string comment;  ///< for people, without parentheses; of several the first; empty: none
    std::string reason;   ///< reason=, unquoted; empty: none
    std::vector<Property> properties;
  };

  std::string authserv_id;      ///< as spelled, unquoted; whoever compares it ignores case
  std::vector<Method> methods;  ///< empty: "none", nothing was checked

  /// Reads the value of a field. What vendors write beside the grammar is passed over where it is clear where it ends:
  /// an empty element, a property without ptype ("action=none").
  /// @param value  as HeaderField::value, folds included
  /// @errors  Malformed: no authserv-id, another version than 1, a method without result, an unclosed comment or
  ///          quoted-string; Exhausted: kMaxReportedMethods, kMaxReportedProperties, comments nested deeper than
  ///          kMaxCommentDepth
  /// @limits  linear; no recursion
  /// @source  RFC 8601 §2.2
  [[nodiscard]] static Result<AuthenticationResults> parse(std::string_view value);

  /// Writes the value of a field behind what the line has, with values quoted where they must be and octets that no
  /// field may hold left out.
  void write(FoldedLine& line) const;

  /// The whole field, "Authentication-Results: …", folded, ended by CRLF.
  [[nodiscard]] std::string field() const;
};

/// Reads the authserv-id alone, for telling whose field it is, even when the rest cannot be read.
/// @return  the id as spelled, unquoted; "" when there is none
/// @source  RFC 8601 §2.2 and §5
[[nodiscard]] std::string read_authserv_id(std::string_view value);

/// Joins all that the host of that name has reported, top down, as ARC-Authentication-Results needs it.
/// @param authserv_id  compared without regard to case; fields that cannot be read are passed over
/// @source  RFC 8617 §4.1.1
[[nodiscard]] AuthenticationResults merge_results(std::span<const HeaderField> header, std::string_view authserv_id);

}  // namespace waxwing
