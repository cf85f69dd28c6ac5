#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "keys/signer.h"
#include "policy/domain_name.h"
#include "policy/result.h"
#include "policy/time_point.h"
#include "signer/header_field.h"

namespace waxwing {

/// What relay and waxwing-signer say to each other. Each frame is, numbers in network order:
///
///     size     4 octets    of what follows, kFrameHeadOctets to kMaxFrameOctets
///     version  1           kSigningProtocolVersion
///     kind     1           index of the variants below, the answers from 129
///     id       4           chosen by who asks; the answer has the same
///     body
///
/// Short strings have their size before them in one octet, octets at the end of a body have none. A client may send
/// requests without waiting for answers, which come in the order of the requests.
inline constexpr std::uint8_t kSigningProtocolVersion = 1;
inline constexpr std::size_t kFrameHeadOctets = 6;
/// Canonical octets to sign: a whole header, and the fields of ARC that its seal covers again.
inline constexpr std::size_t kMaxOctetsToSign = 2 * kMaxHeaderOctets;
inline constexpr std::size_t kMaxFrameOctets = kMaxOctetsToSign + 1'024;
inline constexpr std::size_t kMaxListedKeys = 256;  ///< in one answer
inline constexpr std::size_t kMaxListedPublicKeyOctets = 1'024;

/// Asks for a signature.
struct SignRequest {
  DomainName domain;
  std::string selector;  ///< as parse_selector() returns it
  std::string tenant;    ///< whose message it is; at most 255 octets; empty: the relay's own
  std::string octets;    ///< canonical, as prepare_dkim_signature() makes them
};

/// Asks for the public halves of all keys.
struct ListRequest {
  std::uint64_t known_generation = 0;  ///< the answer is short when it is still that
  std::uint32_t first = 0;             ///< index of the first key wanted
};

using SigningRequest = std::variant<SignRequest, ListRequest>;

struct SignatureAnswer {
  std::string signature;
};

/// A key as anybody may know it.
struct ListedKey {
  DomainName domain;
  std::string selector;
  DkimKeyType type;
  unsigned size_bits;
  std::string public_key;
  WallTime created;
};

struct ListAnswer {
  std::uint64_t generation = 0;  ///< changes with the keys
  std::uint32_t total = 0;       ///< keys that there are
  std::vector<ListedKey> keys;   ///< from ListRequest::first on, at most kMaxListedKeys; none: nothing new
};

struct RefusedAnswer {
  Error error;
};

using SigningAnswer = std::variant<SignatureAnswer, ListAnswer, RefusedAnswer>;

template <class Content>
struct SigningFrame {
  std::uint32_t id = 0;
  Content content;
};

/// @param request  within the limits above
[[nodiscard]] std::string encode_request(std::uint32_t id, const SigningRequest& request);
/// @param answer  ditto; longer sentences of an Error are cut
[[nodiscard]] std::string encode_answer(std::uint32_t id, const SigningAnswer& answer);

/// Cuts what comes in into frames.
class FrameReader {
 public:
  /// Takes more octets; what stays buffered is less than one frame once next() has given all.
  void append(std::string_view octets);

  /// The next complete frame without its size; valid until append(). No value: more octets are needed.
  /// @errors  Malformed: a size that no frame has; nothing more can be read then
  [[nodiscard]] Result<std::optional<std::string_view>> next();

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
};

/// Reads a frame of FrameReader.
/// @errors  Malformed: another version, an unknown kind, a body that is not of its kind
[[nodiscard]] Result<SigningFrame<SigningRequest>> decode_request(std::string_view frame);
[[nodiscard]] Result<SigningFrame<SigningAnswer>> decode_answer(std::string_view frame);

}  // namespace waxwing
