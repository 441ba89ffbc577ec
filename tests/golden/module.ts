export default "a text, and no recipe";
