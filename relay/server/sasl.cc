#include "relay/server/sasl.h"

#include "policy/base64.h"
#include "policy/utf8.h"

namespace waxwing {

Result<Secret> decode_sasl_response(std::string_view text) {
  if (text == "=" || text.empty()) return Secret();
  if (text.find_first_of(" \t") != std::string_view::npos) return fail(ErrorKind::Malformed, "white space in base64");
  Secret octets = Secret::zeros(text.size() / 4 * 3);
  const auto length = decode_base64_into(text, {octets.writable(), octets.size()});
  if (!length) return tl::unexpected(length.error());
  return Secret(octets.reveal().substr(0, *length));
}

Result<void> check_credentials(std::string_view user, std::string_view password) {
  constexpr std::size_t kMaxPartOctets = 255;
  if (user.empty() || password.empty()) return fail(ErrorKind::Malformed, "a login needs a user and a password");
  if (user.size() > kMaxPartOctets || password.size() > kMaxPartOctets)
    return fail(ErrorKind::Malformed, "user or password is too long");
  if (user.find('\0') != std::string_view::npos || password.find('\0') != std::string_view::npos)
    return fail(ErrorKind::Malformed, "user or password holds a NUL");
  return {};
}

Result<Credentials> parse_sasl_plain(std::string_view message) {
  const std::size_t first = message.find('\0');
  const std::size_t second = first == std::string_view::npos ? first : message.find('\0', first + 1);
  if (second == std::string_view::npos) return fail(ErrorKind::Malformed, "AUTH PLAIN needs two NUL separators");
  const std::string_view authorization = message.substr(0, first);
  const std::string_view user = message.substr(first + 1, second - first - 1);
  const std::string_view password = message.substr(second + 1);
  if (auto checked = check_credentials(user, password); !checked) return tl::unexpected(checked.error());
  if (!authorization.empty() && authorization != user)
    return fail(ErrorKind::Denied, "acting as another user is not allowed");
  return Credentials{std::string(user), Secret(password)};
}

Result<std::string> parse_sasl_external(std::string_view response) {
  constexpr std::size_t kMaxIdentityOctets = 255;
  auto decoded = decode_sasl_response(response);
  if (!decoded) return tl::unexpected(std::move(decoded.error()));
  std::string identity(decoded->reveal());
  if (identity.size() > kMaxIdentityOctets || identity.find('\0') != std::string::npos || !is_valid_utf8(identity))
    return fail(ErrorKind::Malformed, "the authorization identity is too long or no UTF-8");
  return identity;
}

}  // namespace waxwing
