#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "policy/result.h"

namespace waxwing {

/// The answer to one request.
struct HttpResponse {
  int status = 0;          ///< 200 to 599
  std::string media_type;  ///< of Content-Type, lower case, without parameters: "text/plain"; empty: none given
  std::string body;        ///< without chunk framing
};

/// Reads the response to one GET or POST, strictly and without I/O. What HTTP permits readers to tolerate is refused where two
/// readers could understand it differently: bare LF and CR, NUL, folded fields, space before a colon, differing
/// Content-Length fields, Content-Length with Transfer-Encoding, transfer codings other than chunked, content codings.
/// Interim (1xx) responses are passed over.
/// @limits  the constants below, and `max_body_octets`
/// @source  RFC 9112 §2.2, §4, §5, §6, §7.1 and §8
class HttpResponseReader {
 public:
  enum class State { Reading, Done };

  explicit HttpResponseReader(std::size_t max_body_octets);

  /// Takes octets of the peer in pieces of any size. What follows the response is dropped.
  State feed(std::string_view octets);

  /// Tells that the peer has ended the stream in order (with TLS: by close_notify). A body that is framed by the end of
  /// the stream is complete then; any other response that is not, is truncated.
  State end_of_stream();

  [[nodiscard]] State state() const { return phase_ == Phase::Done ? State::Done : State::Reading; }

  /// The outcome, once Done; to be called once.
  /// @errors  Malformed: breaks HTTP or a limit; Exhausted: the body is larger than allowed; Unavailable: truncated
  [[nodiscard]] Result<HttpResponse> take_result();

 private:
  enum class Phase {
    StatusLine,   ///< of the final or an interim response
    HeaderField,  ///< until the empty line
    SizedBody,    ///< Content-Length octets
    OpenBody,     ///< until the end of the stream
    ChunkSize,    ///< the line before a chunk
    ChunkData,    ///< the octets of a chunk
    ChunkEnd,     ///< the empty line after a chunk
    Trailer,      ///< fields after the last chunk, until the empty line
    Done,
  };

  [[nodiscard]] bool take_line(std::string_view& octets);
  void read_line(std::string_view line);
  void read_status_line(std::string_view line);
  void read_header_line(std::string_view line);
  void read_field(std::string_view name, std::string_view value);
  void read_content_length(std::string_view value);
  void read_content_type(std::string_view value);
  void begin_body();
  void read_chunk_size(std::string_view line);
  void read_body(std::string_view& octets);
  void append_body(std::string_view octets);
  void refuse(ErrorKind kind, std::string detail);
  void finish();

  std::size_t max_body_octets_;
  Phase phase_ = Phase::StatusLine;
  std::string line_;             ///< begun and not ended
  std::size_t line_octets_ = 0;  ///< in all lines so far, whatever they were for
  std::size_t fields_ = 0;
  std::size_t interim_responses_ = 0;
  bool old_version_ = false;  ///< HTTP/1.0
  bool chunked_ = false;
  std::optional<std::size_t> content_length_;
  std::size_t remaining_ = 0;  ///< of a sized body or a chunk
  HttpResponse response_;
  std::optional<Error> error_;
};

inline constexpr std::size_t kMaxHttpLineOctets = 8'192;
inline constexpr std::size_t kMaxHttpLineOctetsInTotal = 65'536;  ///< status lines, fields, chunk sizes and trailers
inline constexpr std::size_t kMaxHttpFields = 100;
inline constexpr std::size_t kMaxHttpInterimResponses = 4;

}  // namespace waxwing
