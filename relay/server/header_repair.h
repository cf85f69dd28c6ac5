#pragma once

#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "relay/server/command.h"
#include "signer/header_field.h"

namespace waxwing {

/// What a listener does with a header field that holds octets over 127 in a message that is not SMTPUTF8.
enum class RawHeaders {
  Reject,  ///< the message is refused
  Fix,     ///< text becomes encoded words, parameters become RFC 2231
  Pass,    ///< it goes on as it is, and servers may change it
};

/// Writes a field in ASCII that says the same: encoded words in text, display names and comments, extended parameters
/// in Content-Type and Content-Disposition.
/// @param field  of any kind
/// @return  the field with its CRLF, folded where it became long; the field itself when it is ASCII; or the reply that
///          names it: 550 5.6.0 where it is not UTF-8, or cannot be said in ASCII on lines of kMaxLineOctets, 550 5.6.7
///          where an address itself is not ASCII
/// @limits  linear
/// @source  RFC 2047 §2 and §5, RFC 2231 §4, RFC 6532 §3
[[nodiscard]] tl::expected<std::string, ServerReply> field_in_ascii(const HeaderField& field);

/// The header block as it leaves: without the fields that are withheld, the others as `mode` says.
/// @return  or the reply that refuses, as field_in_ascii()
[[nodiscard]] tl::expected<std::string, ServerReply> outgoing_fields(const std::vector<HeaderField>& fields,
                                                                     RawHeaders mode);

/// The header block of a message that says SMTPUTF8, as it leaves: in ASCII where that says the same, so that hosts
/// without SMTPUTF8 can take it; else, as with an address or a Message-ID that is not ASCII, each field as it is.
/// @source  RFC 6531 §3.2: a submission server may choose what it does for such hosts
[[nodiscard]] std::string outgoing_utf8_fields(const std::vector<HeaderField>& fields);

}  // namespace waxwing
