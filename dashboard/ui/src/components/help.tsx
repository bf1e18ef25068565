import { useEffect, useRef, useState } from "preact/hooks";
import { bound, lettersOn, setLetters } from "../keys/keys";

/** The list of everything that is bound now. Closing gives the focus back to where it was. */
export function Help({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [letters, choose] = useState(lettersOn());
  useEffect(() => {
    dialog.current?.showModal?.();
  }, []);
  return (
    <dialog ref={dialog} onClose={onClose} aria-labelledby="help-title">
      <div class="head">
        <h2 id="help-title">Keyboard</h2>
        <button type="button" class="asof" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </div>
      {bound().map((group) => (
        <section key={group.title}>
          <h3>{group.title}</h3>
          <table>
            <tbody>
              {group.bindings.map((binding) => (
                <tr key={binding.keys}>
                  <td class="nowrap">
                    {binding.keys.split(" ").map((key) => (
                      <kbd key={key}>{key === "Escape" ? "Esc" : key}</kbd>
                    ))}
                  </td>
                  <td>{binding.does}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      ))}
      <section>
        <h3>In the rows of a trace</h3>
        <p>
          <kbd>↑</kbd> <kbd>↓</kbd> move, <kbd>→</kbd> unfolds or goes in, <kbd>←</kbd> folds or goes out,{" "}
          <kbd>Home</kbd> <kbd>End</kbd> first and last, <kbd>Enter</kbd> opens the details.
        </p>
      </section>
      <label>
        <input
          type="checkbox"
          checked={letters}
          onChange={(event) => {
            const on = event.currentTarget.checked;
            setLetters(on);
            choose(on);
          }}
        />
        Single-key shortcuts are on
      </label>
    </dialog>
  );
}
