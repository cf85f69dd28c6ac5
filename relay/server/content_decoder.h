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

/// What a listener does with a line of more than kMaxLineOctets.
enum class LongLines {
  Reject,  ///< the message is refused once it has ended
  Fix,     ///< it is broken at its last white space, which folds a header field; where there is none, at the limit
  Pass,    ///< it goes on as it is, and signatures break at servers that break it
};

/// Without the CRLF. @source RFC 5322 §2.1.1
inline constexpr std::size_t kMaxLineOctets = 998;

/// How the end of content is told.
enum class ContentFraming {
  Dot,     ///< DATA: a dot on a line of its own ends it; other dots first on their line are doubled
  Chunks,  ///< BDAT: lengths; dots are text
};

/// Takes the octets after 354, or of chunks, and gives the content: finds the end, removes dot-stuffing, judges line
/// ends and breaks long lines. Only CRLF.CRLF ends the content of DATA, whatever the mode; a dot counts as first on its
/// line only after a CRLF. So no sequence that another server might read as an end can hide a second message.
/// @limits  O(octets), whatever they are; holds less than a line
/// @source  RFC 5321 §4.1.1.4, §4.5.2 and §2.3.8, RFC 3030 §2
class ContentDecoder {
 public:
  struct Options {
    BareLineEnds bare_line_ends = BareLineEnds::Reject;
    LongLines long_lines = LongLines::Pass;
    ContentFraming framing = ContentFraming::Dot;
  };
  explicit ContentDecoder(Options options) : options_(options) {}
  /// Content of DATA, with long lines as they are.
  explicit ContentDecoder(BareLineEnds bare_line_ends) : ContentDecoder(Options{bare_line_ends}) {}

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

  /// Whether a lone CR or LF was refused: where lines and content end may look different to whoever wrote them.
  [[nodiscard]] bool is_ambiguous() const { return ambiguous_; }

 private:
  enum class State {
    LineStart,  ///< after a CRLF, or before the first octet
    InLine,     ///< anywhere else
    Cr,         ///< after a CR inside a line
    Dot,        ///< after a dot first on its line
    DotCr,      ///< after that dot and a CR
    Ended,
  };
  /// Where the next CR and LF are, so that each octet is looked at once for each of them.
  struct NextLineEnds {
    std::size_t cr = 0;
    std::size_t lf = 0;
  };
  void take_run(std::string_view octets, std::size_t& at, NextLineEnds& next, std::string& content);
  void take_octet(char octet, std::size_t& at, std::string& content);
  void lone_line_end(std::string_view flaw, std::string& content);
  void end_line(std::string& content);
  void append(std::string_view text, std::string& content);
  void append_breaking(std::string_view text, std::string& content);
  void break_line(bool inside_character, std::string& content);

  Options options_;
  State state_ = State::LineStart;
  std::string_view flaw_;
  bool ambiguous_ = false;
  std::size_t line_octets_ = 0;
  std::string held_;  ///< the end of a line that may have to be broken
};

}  // namespace waxwing
