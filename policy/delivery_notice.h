#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace waxwing {

/// About what the sender wants to be told for one recipient. Without a wish, failures are reported and nothing else is.
/// @source  RFC 3461 §4.1
struct NotifyWish {
  bool success = false;
  bool failure = false;
  bool delay = false;  ///< none of the three: NEVER

  /// Reads the value of NOTIFY=.
  /// @return  no value: neither NEVER nor a list of SUCCESS, FAILURE and DELAY
  [[nodiscard]] static std::optional<NotifyWish> parse(std::string_view value);
  /// "NEVER", or "SUCCESS,FAILURE,DELAY" as far as they are wished.
  [[nodiscard]] std::string str() const;

  friend bool operator==(const NotifyWish&, const NotifyWish&) = default;
};

/// How much of the message a report of its failure is to carry. @source RFC 3461 §4.3
enum class ReturnedContent : std::uint8_t { Unsaid, Full, Headers };

/// "", "FULL", "HDRS".
[[nodiscard]] std::string_view returned_content_word(ReturnedContent content);

/// What MAIL asks about reports. @source RFC 3461 §4.3 and §4.4
struct MessageNotice {
  ReturnedContent content = ReturnedContent::Unsaid;
  std::string envelope_id{};  ///< xtext of ENVID=, as the sender wrote it; empty: none

  friend bool operator==(const MessageNotice&, const MessageNotice&) = default;
};

/// What RCPT asks about reports. @source RFC 3461 §4.1 and §4.2
struct RecipientNotice {
  std::optional<NotifyWish> notify{};
  std::string original_recipient{};  ///< "rfc822;" and xtext, of ORCPT=, always ASCII; empty: none

  friend bool operator==(const RecipientNotice&, const RecipientNotice&) = default;
};

/// Undoes xtext.
/// @return  no value: an octet that xtext does not allow, or what it stands for is not printable ASCII, so that the text
///          can go into a header field as it is
/// @source  RFC 3461 §4
[[nodiscard]] std::optional<std::string> decode_xtext(std::string_view text);

/// Whether it can be the value of ENVID=. @source RFC 3461 §4.4
[[nodiscard]] bool is_envelope_id(std::string_view text);

/// Reads the value of ORCPT=; an address in UTF-8 is written in ASCII.
/// @return  no value: not a type of address, ";" and an address as that type writes it
/// @source  RFC 3461 §4.2, RFC 6533 §3
[[nodiscard]] std::optional<std::string> parse_original_recipient(std::string_view text);

/// What parse_original_recipient() gave, as a report names it: "rfc822;a+b@example.org".
/// @source  RFC 3464 §2.3.1
[[nodiscard]] std::string original_recipient_text(std::string_view original_recipient);

/// Whether it is all as the functions above let it through, for values that come back from a database.
[[nodiscard]] bool is_original_recipient(std::string_view text);

inline constexpr std::size_t kMaxEnvelopeIdOctets = 100;         // RFC 3461 §4.4
inline constexpr std::size_t kMaxOriginalRecipientOctets = 500;  // RFC 3461 §4.2

}  // namespace waxwing
