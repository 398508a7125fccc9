import { render } from "preact";
import { App } from "./App.tsx";
import { applyTheme } from "./theme.ts";
import "./styles/index.css";

applyTheme();
render(<App />, document.getElementById("app")!);
