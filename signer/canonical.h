#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace waxwing {

/// How much a message may change on its way without breaking the signature (the c= tag).
enum class Canonicalization { Simple, Relaxed };

/// "simple", "relaxed".
[[nodiscard]] std::string_view canonicalization_name(Canonicalization canonicalization);

/// Appends the canonical form of one header field, final CRLF included.
/// @param raw  the field as HeaderField::raw, or without its final CRLF
/// @source  RFC 6376 §3.4.1 and §3.4.2
void append_canonical_field(std::string_view raw, Canonicalization canonicalization, std::string& out);

/// Where canonical octets go.
class OctetSink {
 public:
  OctetSink() = default;
  virtual ~OctetSink() = default;

  /// Takes the next octets; borrowed for the call.
  virtual void put(std::string_view octets) = 0;

 protected:
  OctetSink(const OctetSink&) = default;
  OctetSink& operator=(const OctetSink&) = default;
};

/// Brings a body into canonical form while it passes. The result does not depend on how the body is cut into chunks.
/// An empty body stays empty in relaxed form and becomes one CRLF in simple form.
/// @limits  time linear in the body; memory constant: empty lines that may turn out to be the last ones are counted,
/// not kept
/// @source  RFC 6376 §3.4.3 and §3.4.4
class BodyCanonicalizer {
 public:
  explicit BodyCanonicalizer(Canonicalization canonicalization) : canonicalization_(canonicalization) {}

  /// Takes the next octets of the body. What is decided goes to `sink`, some of it only with a later call.
  void update(std::string_view chunk, OctetSink& sink);

  /// Ends the body and gives `sink` the rest.
  void finish(OctetSink& sink);

 private:
  [[nodiscard]] std::string_view resolve_carriage_return(std::string_view chunk, OctetSink& sink);
  std::size_t take_reduced(std::string_view chunk, OctetSink& sink);
  void take_lines(std::string_view run, OctetSink& sink);
  void put_content(std::string_view content, OctetSink& sink);
  void put(std::string_view octets, OctetSink& sink);
  void flush(OctetSink& sink);

  static constexpr std::size_t kBufferOctets = 4'096;

  Canonicalization canonicalization_;
  bool has_content_ = false;              ///< something other than line ends was put
  bool pending_carriage_return_ = false;  ///< the last octet was a CR, and an LF may follow
  bool pending_space_ = false;            ///< relaxed: white space that counts only if the line goes on
  std::uint64_t pending_line_ends_ = 0;   ///< CRLFs that count only if content follows
  std::size_t buffered_ = 0;
  std::array<char, kBufferOctets> buffer_;  ///< gathers small pieces for the sink; uninitialised beyond buffered_
};

}  // namespace waxwing
