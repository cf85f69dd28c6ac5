#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "policy/ip_address.h"
#include "policy/result.h"

namespace waxwing {

/// What a trusted peer tells with XCLIENT about the client for which it speaks.
struct XclientFacts {
  std::optional<IpAddress> address{};  ///< ADDR
  std::optional<std::string> helo{};   ///< HELO
  std::optional<std::string> login{};  ///< LOGIN; an empty one: nobody is logged in
};

/// Reads the attributes of XCLIENT. Those that tell nothing that matters here (NAME, PORT, PROTO, DESTADDR, DESTPORT) are
/// checked and passed over; [UNAVAILABLE] and [TEMPUNAVAIL] are as if nothing was said, but for LOGIN.
/// @errors  Malformed: an attribute that is not known or stands twice, or a value that is none of its kind
/// @source  https://www.postfix.org/XCLIENT_README.html
[[nodiscard]] Result<XclientFacts> parse_xclient(std::string_view attributes);

}  // namespace waxwing
