#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace waxwing {

/// What a listener does with a CR or LF that is not part of a CRLF.
enum class BareLineEnds {
  Reject,  ///< the message is refused once it has ended
  Fix,     ///< it becomes CRLF; for trusted local listeners only
};

/// How the end of content is told.
enum class ContentFraming {
  Dot,     ///< DATA: a dot on a line of its own ends it; other dots first on their line are doubled
  Chunks,  ///< BDAT: lengths; dots are text
};

/// Takes the octets after 354, or of chunks, and gives the content: finds the end, removes dot-stuffing, and judges
/// line ends. Only CRLF.CRLF ends the content of DATA, whatever the mode; a dot counts as first on its line only after
/// a CRLF. So no sequence that another server might read as an end can hide a second message.
/// @source  RFC 5321 §4.1.1.4, §4.5.2 and §2.3.8, RFC 3030 §2
class ContentDecoder {
 public:
  explicit ContentDecoder(BareLineEnds mode, ContentFraming framing = ContentFraming::Dot)
      : mode_(mode), framing_(framing) {}

  /// Reads from the front of `octets` and appends content, with CRLF line ends, to `content`. Any cutting of the input
  /// gives the same content. Once a flaw has been found, nothing more is appended, but the end is still looked for.
  /// @return  octets consumed: all of them unless the end was among them
  std::size_t decode(std::string_view octets, std::string& content);

  /// The last chunk is complete. Closes the last line where the client has not.
  /// @source  RFC 3030 §4.2
  void finish(std::string& content);

  /// Whether the end has been read.
  [[nodiscard]] bool ended() const { return state_ == State::Ended; }

  /// What makes the content unacceptable, as a phrase for the reply; empty: nothing so far.
  [[nodiscard]] std::string_view flaw() const { return flaw_; }

  /// Line ends that were mended in Fix mode.
  [[nodiscard]] std::size_t fixed_line_ends() const { return fixed_; }

 private:
  enum class State {
    LineStart,  ///< after a CRLF, or before the first octet
    InLine,     ///< anywhere else
    Cr,         ///< after a CR inside a line
    Dot,        ///< after a dot first on its line
    DotCr,      ///< after that dot and a CR
    Ended,
  };
  void line_end(std::string_view flaw, std::string& content);
  std::size_t decode_run(std::string_view octets, std::string& content);

  BareLineEnds mode_;
  ContentFraming framing_;
  bool line_open_ = false;  ///< the line at hand has octets
  State state_ = State::LineStart;
  std::string_view flaw_;
  std::size_t fixed_ = 0;
};

}  // namespace waxwing
