#include "policy/base64.h"

#include <openssl/base64.h>

#include <cstdint>

namespace waxwing {

Result<std::string> decode_base64(std::string_view text) {
  std::string compact;
  compact.reserve(text.size());
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') compact += c;
  }
  std::string octets(compact.size() / 4 * 3, '\0');
  const auto length = decode_base64_into(compact, octets);
  if (!length) return tl::unexpected(length.error());
  octets.resize(*length);
  return octets;
}

Result<std::size_t> decode_base64_into(std::string_view text, std::span<char> octets) {
  std::size_t length = 0;
  if (!EVP_DecodeBase64(reinterpret_cast<std::uint8_t*>(octets.data()), &length, octets.size(),
                        reinterpret_cast<const std::uint8_t*>(text.data()), text.size())) {
    return fail(ErrorKind::Malformed, "the text is not base64");
  }
  return length;
}

std::string encode_base64(std::string_view octets) {
  std::string text((octets.size() + 2) / 3 * 4 + 1, '\0');  // EVP_EncodeBlock writes a terminating NUL
  const std::size_t length = EVP_EncodeBlock(reinterpret_cast<std::uint8_t*>(text.data()),
                                             reinterpret_cast<const std::uint8_t*>(octets.data()), octets.size());
  text.resize(length);
  return text;
}

}  // namespace waxwing
